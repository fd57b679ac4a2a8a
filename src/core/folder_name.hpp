// SPDX-License-Identifier: Apache-2.0
// folder_name: what a run is called: the last part of its path, with or without a slash behind it.
#pragma once

#include <filesystem>
#include <string>

namespace hg {

[[nodiscard]] inline std::string folder_name(const std::filesystem::path& folder) {
    const auto plain = folder.lexically_normal();
    return (plain.has_filename() ? plain : plain.parent_path()).filename().string();
}

}  // namespace hg
