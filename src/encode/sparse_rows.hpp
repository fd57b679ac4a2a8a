// SPDX-License-Identifier: Apache-2.0
// SparseRows: a matrix of mostly zeros, row after row (compressed sparse rows).
//
// What bags of words and one-hot categories are before PCA makes them dense.
//
//   SparseRows rows{.n_cols = 3};  rows.add(0, 1.0F);  rows.end_row();
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::encode {

struct SparseRows {
    std::size_t n_cols = 0;
    std::vector<std::size_t> offsets{0};   // [n_rows + 1]
    std::vector<std::uint32_t> columns{};  // ascending within a row
    std::vector<float> values{};

    [[nodiscard]] std::size_t n_rows() const noexcept { return offsets.size() - 1; }

    [[nodiscard]] std::span<const std::uint32_t> row_columns(std::size_t row) const {
        return std::span{columns}.subspan(offsets[row], offsets[row + 1] - offsets[row]);
    }

    [[nodiscard]] std::span<const float> row_values(std::size_t row) const {
        return std::span{values}.subspan(offsets[row], offsets[row + 1] - offsets[row]);
    }

    void add(std::size_t column, float value) {
        columns.push_back(static_cast<std::uint32_t>(column));
        values.push_back(value);
    }

    void end_row() { offsets.push_back(columns.size()); }
};

}  // namespace hg::encode
