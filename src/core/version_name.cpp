// SPDX-License-Identifier: Apache-2.0
#include "core/version_name.hpp"

#include "core/folder_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hg {

std::string version_name(const std::filesystem::path& folder, std::string_view digest) {
    constexpr std::size_t digits = 12;
    auto name = folder_name(folder);
    std::ranges::replace_if(
        name,
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-' && c != '.'; },
        '_'
    );
    return fmt::format("{}@{}", name, digest.substr(0, digits));
}

}  // namespace hg
