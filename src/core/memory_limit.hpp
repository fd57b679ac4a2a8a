// SPDX-License-Identifier: Apache-2.0
// How much memory a piece of work may take, and the refusal before it takes more.
//
//   check_memory({.what = "dae: 1000000 items in 256 numbers", .bytes = 5e9, .limit_bytes = memory_limit_bytes(),
//                 .hint = "fewer numbers, --set dim=64"});
#pragma once

#include "core/error.hpp"

#include <filesystem>
#include <string>

namespace hg {

/// Half of the machine's memory, or of what the control group (a container) gets where that is less.
/// `root`: the files of /proc and /sys are read below it; another one for tests.
[[nodiscard]] double memory_limit_bytes(const std::filesystem::path& root = "/");

struct MemoryNeed {
    std::string what;  // needs it, in the plural
    double bytes = 0;
    double limit_bytes = 0;
    std::string hint{};  // how to need less
};

/// exhausted, for want of memory: what is asked for can be made smaller, as the hint says.
class MemoryRefusal : public Error {
  public:
    using Error::Error;
};

/// Throws MemoryRefusal: the bytes needed, the bytes there, the hint.
void check_memory(const MemoryNeed& need);

}  // namespace hg
