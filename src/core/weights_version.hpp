// SPDX-License-Identifier: Apache-2.0
// weights_version: which weights a run holds, as a name that fits into a log.
#pragma once

#include <filesystem>
#include <string>

namespace hg {

/// "meta@0123456789ab": the folder's name, with '_' for what may not stand in a version, and a digest of its
/// weights.safetensors. Throws Error where they cannot be read.
[[nodiscard]] std::string weights_version(const std::filesystem::path& run);

}  // namespace hg
