// SPDX-License-Identifier: Apache-2.0
// PowerLossFiles: what a power cut would leave of a folder whose files are written with plain calls.
//
// While one lives, fsync, fdatasync, rename and renameat2 of this program are watched (the .cpp
// defines them, so the linker prefers them to libc's). A file is durable as it was at its last
// fsync, a name as it was at the last fsync of its folder. The image of a cut at the chosen call
// takes, for each folder, any state of its names since then, and for each file its durable bytes,
// or any prefix of the newer ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace hg::testing_support {

class PowerLossFiles {
  public:
    /// What the disk does with an order to sync: the lies exist to show that a test would notice.
    enum class Disk : std::uint8_t { obeys, ignores_files, ignores_folders };

    /// One at a time. `root` is empty and durable.
    PowerLossFiles(
        const std::filesystem::path& root,
        std::uint64_t seed,
        std::size_t cut_at_call,
        Disk disk = Disk::obeys
    );
    PowerLossFiles(const PowerLossFiles&) = delete;
    PowerLossFiles& operator=(const PowerLossFiles&) = delete;
    PowerLossFiles(PowerLossFiles&&) = delete;
    PowerLossFiles& operator=(PowerLossFiles&&) = delete;
    ~PowerLossFiles();

    [[nodiscard]] bool is_cut() const;
    /// Cuts now, unless it happened; what the cut left goes into `folder`.
    void cut_into(const std::filesystem::path& folder);

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace hg::testing_support
