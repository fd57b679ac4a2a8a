// SPDX-License-Identifier: Apache-2.0
// TextFile: the bytes of a text file, mapped if plain, inflated if gzipped, without a byte order
// mark.
//
// Gzip is recognised by its magic bytes, so a wrong extension does no harm; several members in one
// file are joined. The text lives as long as the object. Move-only; const-safe.
//
//   HG_TRY(const auto file, TextFile::open("interactions.csv.gz"));   use(file.text());
#pragma once

#include "core/error.hpp"
#include "core/file.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hg::data {

class TextFile {
  public:
    [[nodiscard]] static Result<TextFile> open(const std::filesystem::path& path);

    [[nodiscard]] std::string_view text() const noexcept {
        const std::string_view all = mapping_ ? mapping_->text() : std::string_view{inflated_};
        return all.substr(mark_bytes_);
    }

  private:
    std::optional<MappedFile> mapping_;
    std::string inflated_;
    std::size_t mark_bytes_ = 0;
};

/// The inflated bytes of a gzip file (or buffer); `name` appears in errors.
[[nodiscard]] Result<std::string> inflate_gzip(std::string_view bytes, std::string_view name);

}  // namespace hg::data
