// SPDX-License-Identifier: Apache-2.0
// PowerLossVfs: an SQLite VFS that knows, at any moment, what a power cut would leave on the disk.
//
// Everything passes through to the default VFS (but sync is not: it is slow and proves nothing
// here). Beside it, each file has a durable image (what was there at its last sync) and the writes
// since. At the chosen operation the image of a cut is taken: durable bytes, plus an arbitrary part
// of the unsynced writes, the last of them possibly torn. kill -9 cannot find a missing sync,
// because the page cache survives it; this can.
#pragma once

#include "core/rng.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hg::testing_support {

class PowerLossVfs {
  public:
    PowerLossVfs(std::uint64_t seed, std::size_t cut_at_operation);
    PowerLossVfs(const PowerLossVfs&) = delete;
    PowerLossVfs& operator=(const PowerLossVfs&) = delete;
    PowerLossVfs(PowerLossVfs&&) = delete;
    PowerLossVfs& operator=(PowerLossVfs&&) = delete;
    ~PowerLossVfs();

    [[nodiscard]] const std::string& name() const;
    /// True once the cut happened (by itself, or by cut()).
    [[nodiscard]] bool is_cut() const;
    /// Cuts now, unless it happened.
    void cut();
    /// Writes the files the cut left into `folder`, by file name.
    void write_image(const std::filesystem::path& folder) const;

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace hg::testing_support
