// SPDX-License-Identifier: Apache-2.0
// Files: whole reads, atomic durable writes, read-only memory maps.
//
//   HG_TRY(auto text, read_file("dataset.toml"));
//   write_file_atomic("runs/x/manifest.json", text);     // old content or new, never half
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace hg {

[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);

/// Writes beside the target, fsyncs, renames over it, fsyncs the folder. Throws Error on failure,
/// leaving the old file as it was. Creates parent folders.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

/// As above, with the content streamed by `write`.
void write_file_atomic(
    const std::filesystem::path& path, const std::function<void(std::ostream&)>& write
);

/// A file mapped read-only; the bytes live as long as the object. Move-only; const-safe.
class MappedFile {
  public:
    [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
    }

  private:
    explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::span<const std::byte> bytes_;
};

}  // namespace hg
