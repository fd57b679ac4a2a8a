// SPDX-License-Identifier: Apache-2.0
// Binary datasets: what `honeyguide ingest` writes; the log's columns are mapped, not copied, on
// opening.
//
// A folder of dataset.json (names, version, checksums) and three safetensors files: log, items,
// users; the layout is docs/formats/binary_dataset.md. Written beside the target and renamed over
// it, so a crash leaves the old dataset or the new one.
#pragma once

#include "core/error.hpp"
#include "data/dataset.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <functional>
#include <string>

namespace hg::data {

constexpr int dataset_format_version = 1;

/// Whether the folder holds a dataset.json of ours (readable or not).
[[nodiscard]] bool is_binary_dataset(const std::filesystem::path& folder);

/// Fails with the file's name and what is wrong with it; never crashes on foreign bytes. Files up
/// to `checked_bytes` are compared with their checksum, larger ones are only checked for structure.
[[nodiscard]] Result<Dataset> open_binary_dataset(const std::filesystem::path& folder);

constexpr std::uintmax_t checked_bytes = 256U << 20U;

/// A folder that appears at `target` all at once by commit(), or not at all.
class FolderTransaction {
  public:
    /// Fails when the target exists and is neither empty nor a dataset: nothing of a person's is
    /// overwritten.
    [[nodiscard]] static Result<FolderTransaction> begin(std::filesystem::path target);

    FolderTransaction(FolderTransaction&& other) noexcept;
    FolderTransaction& operator=(FolderTransaction&&) = delete;
    FolderTransaction(const FolderTransaction&) = delete;
    FolderTransaction& operator=(const FolderTransaction&) = delete;
    ~FolderTransaction();

    /// Where to write meanwhile.
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return temporary_; }

    /// Syncs and renames; an older dataset at the target goes away with everything in it. Throws
    /// Error.
    void commit();

  private:
    explicit FolderTransaction(std::filesystem::path target, std::filesystem::path temporary);

    std::filesystem::path target_;
    std::filesystem::path temporary_;  // empty once committed or moved from
};

/// Writes the files of a dataset into an existing folder; `notes` become members of dataset.json.
/// Throws Error (disk full, no permission).
void write_binary_dataset(
    const Dataset& data, const std::filesystem::path& folder, const nlohmann::json& notes
);

}  // namespace hg::data
