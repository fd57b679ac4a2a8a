// SPDX-License-Identifier: Apache-2.0
// MatrixView: a borrowed row-major host matrix; Matrix: the owner of one.
//
// The currency between rooms: no torch type crosses a public header of core, data, evaluate or
// serve. A view never outlives what it borrows from.
//
//   Matrix<float> scores(n_users, n_items);
//   model.score(histories, scores.view());
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg {

template <typename T>
class MatrixView {
  public:
    MatrixView() = default;

    MatrixView(T* data, std::size_t rows, std::size_t cols) : MatrixView(data, rows, cols, cols) {}

    MatrixView(T* data, std::size_t rows, std::size_t cols, std::size_t stride)
        : data_(data), rows_(rows), cols_(cols), stride_(stride) {
        HG_CHECK(stride >= cols, "a row cannot be wider than the stride");
    }

    /// A view of const elements from a view of mutable ones.
    operator MatrixView<const T>() const {  // NOLINT(google-explicit-constructor): as span does
        return {data_, rows_, cols_, stride_};
    }

    [[nodiscard]] std::span<T> row(std::size_t index) const {
        HG_CHECK(index < rows_, "row out of range");
        return {data_ + index * stride_, cols_};
    }

    [[nodiscard]] T& operator()(std::size_t row, std::size_t col) const {
        return data_[row * stride_ + col];
    }

    /// Rows [first, first + count).
    [[nodiscard]] MatrixView rows_slice(std::size_t first, std::size_t count) const {
        HG_CHECK(first + count <= rows_, "rows out of range");
        return {data_ + first * stride_, count, cols_, stride_};
    }

    [[nodiscard]] T* data() const noexcept { return data_; }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    [[nodiscard]] std::size_t cols() const noexcept { return cols_; }

    [[nodiscard]] std::size_t stride() const noexcept { return stride_; }

    [[nodiscard]] bool empty() const noexcept { return rows_ == 0 || cols_ == 0; }

  private:
    T* data_ = nullptr;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
    std::size_t stride_ = 0;
};

/// Owns rows x cols elements, row major, contiguous, zero-initialised.
template <typename T>
class Matrix {
  public:
    Matrix() = default;

    Matrix(std::size_t rows, std::size_t cols) : values_(rows * cols), rows_(rows), cols_(cols) {}

    Matrix(std::size_t rows, std::size_t cols, std::vector<T> values)
        : values_(std::move(values)), rows_(rows), cols_(cols) {
        HG_CHECK(values_.size() == rows * cols, "values do not fill the matrix");
    }

    [[nodiscard]] MatrixView<T> view() { return {values_.data(), rows_, cols_}; }

    [[nodiscard]] MatrixView<const T> view() const { return {values_.data(), rows_, cols_}; }

    [[nodiscard]] std::span<T> row(std::size_t index) { return view().row(index); }

    [[nodiscard]] std::span<const T> row(std::size_t index) const { return view().row(index); }

    [[nodiscard]] T& operator()(std::size_t row, std::size_t col) {
        return values_[row * cols_ + col];
    }

    [[nodiscard]] const T& operator()(std::size_t row, std::size_t col) const {
        return values_[row * cols_ + col];
    }

    [[nodiscard]] std::span<T> values() noexcept { return values_; }

    [[nodiscard]] std::span<const T> values() const noexcept { return values_; }

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

    [[nodiscard]] std::size_t cols() const noexcept { return cols_; }

    [[nodiscard]] bool empty() const noexcept { return values_.empty(); }

  private:
    std::vector<T> values_;
    std::size_t rows_ = 0;
    std::size_t cols_ = 0;
};

}  // namespace hg
