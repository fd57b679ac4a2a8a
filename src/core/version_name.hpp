// SPDX-License-Identifier: Apache-2.0
// version_name: what a run is called in a log, so that another one under the same name is told apart.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace hg {

/// "meta@0123456789ab": the folder's name, with '_' for what may not stand in a version, and the first digits of
/// a digest of its content.
[[nodiscard]] std::string version_name(
    const std::filesystem::path& folder, std::string_view digest
);

}  // namespace hg
