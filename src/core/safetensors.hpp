// SPDX-License-Identifier: Apache-2.0
// safetensors: the one container for every binary we write (dataset columns, vectors, weights).
//
// Layout (github.com/huggingface/safetensors): u64 little-endian header length, JSON header
// {name: {dtype, shape, data_offsets}}, then the bytes. Python reads these files with the
// safetensors package. The reader maps the file and validates every size before use: offsets inside
// the file, no overlap of header and data, shape x dtype equal to the length, no overflow, header
// <= 100 MB.
//
//   HG_TRY(auto file, SafetensorsFile::open(path));
//   HG_TRY(auto weights, file.matrix<float>("encoder.weight"));
//
//   SafetensorsWriter writer;
//   writer.add("item_vectors", vectors.view());
//   writer.save(path);                                   // atomic
//
// A list of strings is two tensors: NAME.offsets (I64 [n + 1]) and NAME.bytes (U8).
#pragma once

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg {

enum class DType : std::uint8_t {
    f32,
    f64,
    f16,
    bf16,
    i64,
    i32,
    i16,
    i8,
    u64,
    u32,
    u16,
    u8,
    boolean
};

[[nodiscard]] std::string_view to_string(DType dtype) noexcept;
[[nodiscard]] std::size_t byte_size(DType dtype) noexcept;

template <typename T>
[[nodiscard]] constexpr DType dtype_of();

template <>
constexpr DType dtype_of<float>() {
    return DType::f32;
}

template <>
constexpr DType dtype_of<double>() {
    return DType::f64;
}

template <>
constexpr DType dtype_of<std::int64_t>() {
    return DType::i64;
}

template <>
constexpr DType dtype_of<std::int32_t>() {
    return DType::i32;
}

template <>
constexpr DType dtype_of<std::uint64_t>() {
    return DType::u64;
}

template <>
constexpr DType dtype_of<std::uint32_t>() {
    return DType::u32;
}

template <>
constexpr DType dtype_of<std::uint16_t>() {
    return DType::u16;
}

template <>
constexpr DType dtype_of<std::uint8_t>() {
    return DType::u8;
}

/// A tensor inside a file: borrowed bytes, valid while the SafetensorsFile lives.
struct TensorView {
    DType dtype = DType::f32;
    std::vector<std::size_t> shape;
    std::span<const std::byte> bytes;

    [[nodiscard]] std::size_t size() const noexcept;
};

class SafetensorsFile {
  public:
    [[nodiscard]] static Result<SafetensorsFile> open(const std::filesystem::path& path);
    /// Validates a buffer that outlives the returned object; `name` appears in errors.
    [[nodiscard]] static Result<SafetensorsFile> parse(
        std::span<const std::byte> bytes, std::string_view name
    );

    [[nodiscard]] const std::map<std::string, TensorView>& tensors() const noexcept {
        return tensors_;
    }

    [[nodiscard]] const std::map<std::string, std::string>& metadata() const noexcept {
        return metadata_;
    }

    [[nodiscard]] bool contains(const std::string& name) const { return tensors_.contains(name); }

    [[nodiscard]] Result<TensorView> tensor(const std::string& name) const;

    /// A tensor of element type T, any shape, flat. Fails on another dtype or a misaligned buffer.
    template <typename T>
    [[nodiscard]] Result<std::span<const T>> values(const std::string& name) const {
        HG_TRY(const auto view, typed(name, dtype_of<T>(), alignof(T)));
        return std::span<const T>{reinterpret_cast<const T*>(view.bytes.data()), view.size()};
    }

    /// A tensor of two dimensions.
    template <typename T>
    [[nodiscard]] Result<MatrixView<const T>> matrix(const std::string& name) const {
        HG_TRY(const auto view, typed(name, dtype_of<T>(), alignof(T)));
        if (view.shape.size() != 2) {
            return std::unexpected(wrong_rank(name, 2, view));
        }
        return MatrixView<const T>{
            reinterpret_cast<const T*>(view.bytes.data()), view.shape[0], view.shape[1]
        };
    }

    /// NAME.offsets + NAME.bytes; the views borrow from the file.
    [[nodiscard]] Result<std::vector<std::string_view>> strings(const std::string& name) const;

    /// The tensors whose names start with prefix, without it; borrows from this file.
    [[nodiscard]] SafetensorsFile section(const std::string& prefix) const;

  private:
    [[nodiscard]] Result<TensorView> typed(
        const std::string& name, DType dtype, std::size_t alignment
    ) const;
    [[nodiscard]] Error wrong_rank(
        const std::string& name, std::size_t rank, const TensorView& view
    ) const;
    [[nodiscard]] static Result<SafetensorsFile> parse_header(
        std::span<const std::byte> bytes, std::string name
    );

    std::string name_;
    std::vector<MappedFile> mapping_;  // empty when parsed from a borrowed buffer
    std::map<std::string, TensorView> tensors_;
    std::map<std::string, std::string> metadata_;
};

/// Collects tensors, then writes them once. Numbers are copied at add(); tensors are laid out in
/// order of descending alignment so that every one is aligned in the mapped file.
class SafetensorsWriter {
  public:
    template <typename T>
    void add(std::string name, MatrixView<const T> values) {
        std::vector<std::byte> bytes;
        bytes.reserve(values.rows() * values.cols() * sizeof(T));
        for (std::size_t r = 0; r < values.rows(); ++r) {
            const auto row = std::as_bytes(values.row(r));
            bytes.insert(bytes.end(), row.begin(), row.end());
        }
        add_bytes(std::move(name), dtype_of<T>(), {values.rows(), values.cols()}, std::move(bytes));
    }

    template <typename T>
    void add(std::string name, std::span<const T> values) {
        const auto bytes = std::as_bytes(values);
        add_bytes(std::move(name), dtype_of<T>(), {values.size()}, {bytes.begin(), bytes.end()});
    }

    void add_bytes(
        std::string name, DType dtype, std::vector<std::size_t> shape, std::vector<std::byte> bytes
    );
    void add_strings(const std::string& name, std::span<const std::string> values);
    /// Every tensor of another writer, under prefix + its name.
    void add_all(const std::string& prefix, SafetensorsWriter other);
    void add_metadata(std::string key, std::string value);

    /// Atomic and durable. Throws Error (disk full, no permission).
    void save(const std::filesystem::path& path) const;

  private:
    struct Item {
        DType dtype;
        std::vector<std::size_t> shape;
        std::vector<std::byte> bytes;
    };

    std::map<std::string, Item> items_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace hg
