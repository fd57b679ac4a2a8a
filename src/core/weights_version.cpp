// SPDX-License-Identifier: Apache-2.0
#include "core/weights_version.hpp"

#include "core/digest.hpp"
#include "core/file.hpp"
#include "core/folder_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace hg {

std::string weights_version(const std::filesystem::path& run) {
    constexpr std::size_t digits = 12;
    auto name = folder_name(run);
    std::ranges::replace_if(
        name,
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-' && c != '.'; },
        '_'
    );
    const auto weights = value_or_throw(read_file(run / "weights.safetensors"));
    return fmt::format("{}@{}", name, digest_hex(weights).substr(0, digits));
}

}  // namespace hg
