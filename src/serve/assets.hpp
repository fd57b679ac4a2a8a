// SPDX-License-Identifier: Apache-2.0
// assets: the files of web/ and Chart.js, put into the program at build time (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace hg::serve {

struct Asset {
    std::string_view path;  // "/app.js"; "/" is the page
    std::string_view content_type;
    std::string_view bytes;
};

[[nodiscard]] std::span<const Asset> assets();

}  // namespace hg::serve
