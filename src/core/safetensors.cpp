// SPDX-License-Identifier: Apache-2.0
#include "core/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <ostream>
#include <utility>

namespace hg {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors bytes are little-endian");

struct DTypeFacts {
    DType dtype;
    std::string_view name;
    std::size_t bytes;
};

constexpr std::array dtype_table{
    DTypeFacts{DType::f32, "F32", 4},
    DTypeFacts{DType::f64, "F64", 8},
    DTypeFacts{DType::f16, "F16", 2},
    DTypeFacts{DType::bf16, "BF16", 2},
    DTypeFacts{DType::i64, "I64", 8},
    DTypeFacts{DType::i32, "I32", 4},
    DTypeFacts{DType::i16, "I16", 2},
    DTypeFacts{DType::i8, "I8", 1},
    DTypeFacts{DType::u64, "U64", 8},
    DTypeFacts{DType::u32, "U32", 4},
    DTypeFacts{DType::u16, "U16", 2},
    DTypeFacts{DType::u8, "U8", 1},
    DTypeFacts{DType::boolean, "BOOL", 1},
};

const DTypeFacts& facts(DType dtype) noexcept {
    return *std::ranges::find(dtype_table, dtype, &DTypeFacts::dtype);
}

constexpr std::size_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;

Error corrupt(std::string_view name, std::string_view what) {
    return {
        ErrorCode::corrupt,
        fmt::format("{}: not a valid safetensors file: {}", name, what),
        "the file is damaged or of another format; write it again",
    };
}

/// shape x size of the dtype, or nothing on overflow.
std::optional<std::uint64_t> byte_count(const std::vector<std::size_t>& shape, DType dtype) {
    std::uint64_t total = byte_size(dtype);
    for (const auto extent : shape) {
        if (__builtin_mul_overflow(total, extent, &total)) {
            return std::nullopt;
        }
    }
    return total;
}

Result<TensorView> parse_tensor(
    std::string_view file,
    const std::string& name,
    const nlohmann::json& entry,
    std::span<const std::byte> data
) {
    const auto bad = [&](std::string_view what) {
        return std::unexpected(corrupt(file, fmt::format("tensor \"{}\": {}", name, what)));
    };
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
        return bad("expected dtype, shape and data_offsets");
    }
    const auto& dtype_name = entry["dtype"];
    const auto& shape = entry["shape"];
    const auto& offsets = entry["data_offsets"];
    if (!dtype_name.is_string() || !shape.is_array() || !offsets.is_array() ||
        offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
        return bad("dtype, shape or data_offsets of the wrong type");
    }
    const auto known =
        std::ranges::find(dtype_table, dtype_name.get_ref<const std::string&>(), &DTypeFacts::name);
    if (known == dtype_table.end()) {
        return bad("unknown dtype " + dtype_name.dump());
    }
    TensorView view{.dtype = known->dtype, .shape = {}, .bytes = {}};
    for (const auto& extent : shape) {
        if (!extent.is_number_unsigned()) {
            return bad("a dimension is not a non-negative integer");
        }
        view.shape.push_back(extent.get<std::size_t>());
    }
    const auto begin = offsets[0].get<std::uint64_t>();
    const auto end = offsets[1].get<std::uint64_t>();
    const auto expected = byte_count(view.shape, view.dtype);
    if (begin > end || end > data.size()) {
        return bad("data lies outside the file");
    }
    if (!expected || *expected != end - begin) {
        return bad("shape and length do not agree");
    }
    view.bytes = data.subspan(begin, end - begin);
    return view;
}

}  // namespace

std::string_view to_string(DType dtype) noexcept {
    return facts(dtype).name;
}

std::size_t byte_size(DType dtype) noexcept {
    return facts(dtype).bytes;
}

std::size_t TensorView::size() const noexcept {
    return bytes.size() / byte_size(dtype);
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
    HG_TRY(auto mapping, MappedFile::open(path));
    HG_TRY(auto file, parse_header(mapping.bytes(), path.string()));
    file.mapping_.push_back(std::move(mapping));
    return file;
}

Result<SafetensorsFile> SafetensorsFile::parse(
    std::span<const std::byte> bytes, std::string_view name
) {
    return parse_header(bytes, std::string{name});
}

Result<SafetensorsFile> SafetensorsFile::parse_header(
    std::span<const std::byte> bytes, std::string name
) {
    if (bytes.size() < length_bytes) {
        return std::unexpected(corrupt(name, "shorter than 8 bytes"));
    }
    std::uint64_t header_bytes = 0;
    std::memcpy(&header_bytes, bytes.data(), length_bytes);
    if (header_bytes > max_header_bytes || header_bytes > bytes.size() - length_bytes) {
        return std::unexpected(corrupt(
            name, fmt::format("header of {} bytes in a file of {}", header_bytes, bytes.size())
        ));
    }
    const std::string_view text{
        reinterpret_cast<const char*>(bytes.data()) + length_bytes,
        static_cast<std::size_t>(header_bytes)
    };
    const auto header = nlohmann::json::parse(text, nullptr, false);
    if (!header.is_object()) {
        return std::unexpected(corrupt(name, "the header is not a JSON object"));
    }
    SafetensorsFile file;
    file.name_ = std::move(name);
    const auto data = bytes.subspan(length_bytes + static_cast<std::size_t>(header_bytes));
    for (const auto& [key, entry] : header.items()) {
        if (key == "__metadata__") {
            for (const auto& [meta_key, value] : entry.items()) {
                file.metadata_[meta_key] =
                    value.is_string() ? value.get<std::string>() : value.dump();
            }
            continue;
        }
        HG_TRY(file.tensors_[key], parse_tensor(file.name_, key, entry, data));
    }
    return file;
}

Result<TensorView> SafetensorsFile::tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
        return fail(
            ErrorCode::corrupt,
            fmt::format("{}: tensor \"{}\" is missing", name_, name),
            "the file belongs to another model or version"
        );
    }
    return found->second;
}

Result<TensorView> SafetensorsFile::typed(
    const std::string& name, DType dtype, std::size_t alignment
) const {
    HG_TRY(auto view, tensor(name));
    if (view.dtype != dtype) {
        return fail(
            ErrorCode::corrupt,
            fmt::format(
                "{}: tensor \"{}\" is {}, expected {}",
                name_,
                name,
                to_string(view.dtype),
                to_string(dtype)
            )
        );
    }
    if (reinterpret_cast<std::uintptr_t>(view.bytes.data()) % alignment != 0) {
        return fail(
            ErrorCode::corrupt,
            fmt::format("{}: tensor \"{}\" is not aligned", name_, name),
            "write the file again with honeyguide"
        );
    }
    return view;
}

Error SafetensorsFile::wrong_rank(const std::string& name, std::size_t rank, const TensorView& view)
    const {
    return {
        ErrorCode::corrupt,
        fmt::format(
            "{}: tensor \"{}\" has shape [{}], expected {} dimensions",
            name_,
            name,
            fmt::join(view.shape, ", "),
            rank
        ),
    };
}

Result<std::vector<std::string_view>> SafetensorsFile::strings(const std::string& name) const {
    HG_TRY(const auto offsets, values<std::int64_t>(name + ".offsets"));
    HG_TRY(const auto bytes, values<std::uint8_t>(name + ".bytes"));
    if (offsets.empty()) {
        return std::unexpected(corrupt(name_, name + ".offsets is empty"));
    }
    std::vector<std::string_view> out;
    out.reserve(offsets.size() - 1);
    const auto* const text = reinterpret_cast<const char*>(bytes.data());
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
        const auto begin = offsets[i];
        const auto end = offsets[i + 1];
        if (begin < 0 || end < begin || std::cmp_greater(end, bytes.size())) {
            return std::unexpected(
                corrupt(name_, fmt::format("{}: string {} lies outside", name, i))
            );
        }
        out.emplace_back(text + begin, static_cast<std::size_t>(end - begin));
    }
    return out;
}

SafetensorsFile SafetensorsFile::section(const std::string& prefix) const {
    SafetensorsFile part;
    part.name_ = name_;
    part.metadata_ = metadata_;
    for (const auto& [name, view] : tensors_) {
        if (name.starts_with(prefix)) {
            part.tensors_.emplace(name.substr(prefix.size()), view);
        }
    }
    return part;
}

void SafetensorsWriter::add_all(const std::string& prefix, SafetensorsWriter other) {
    for (auto& [name, item] : other.items_) {
        items_.insert_or_assign(prefix + name, std::move(item));
    }
}

void SafetensorsWriter::add_bytes(
    std::string name, DType dtype, std::vector<std::size_t> shape, std::vector<std::byte> bytes
) {
    HG_CHECK(byte_count(shape, dtype) == bytes.size(), "shape and bytes must agree: " + name);
    items_.insert_or_assign(std::move(name), Item{dtype, std::move(shape), std::move(bytes)});
}

void SafetensorsWriter::add_strings(const std::string& name, std::span<const std::string> values) {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint8_t> bytes;
    for (const auto& value : values) {
        bytes.insert(bytes.end(), value.begin(), value.end());
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    add<std::int64_t>(name + ".offsets", offsets);
    add<std::uint8_t>(name + ".bytes", bytes);
}

void SafetensorsWriter::add_metadata(std::string key, std::string value) {
    metadata_.insert_or_assign(std::move(key), std::move(value));
}

void SafetensorsWriter::save(const std::filesystem::path& path) const {
    std::vector<const std::pair<const std::string, Item>*> order;
    for (const auto& item : items_) {
        order.push_back(&item);
    }
    std::ranges::stable_sort(order, std::greater{}, [](const auto* item) {
        return byte_size(item->second.dtype);
    });
    nlohmann::json header = nlohmann::json::object();
    if (!metadata_.empty()) {
        header["__metadata__"] = metadata_;
    }
    std::uint64_t offset = 0;
    for (const auto* item : order) {
        const auto end = offset + item->second.bytes.size();
        header[item->first] = {
            {"dtype", to_string(item->second.dtype)},
            {"shape", item->second.shape},
            {"data_offsets", {offset, end}},
        };
        offset = end;
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // data starts 8-aligned, as the format recommends
    write_file_atomic(path, [&](std::ostream& out) {
        const std::uint64_t length = text.size();
        out.write(reinterpret_cast<const char*>(&length), length_bytes);
        out.write(text.data(), static_cast<std::streamsize>(text.size()));
        for (const auto* item : order) {
            out.write(
                reinterpret_cast<const char*>(item->second.bytes.data()),
                static_cast<std::streamsize>(item->second.bytes.size())
            );
        }
    });
}

}  // namespace hg
