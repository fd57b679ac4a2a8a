// SPDX-License-Identifier: Apache-2.0
// A file of texts, one JSON string a line: any text can stand in it, line breaks too.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hg::app {

/// Throws Error naming file:line.
[[nodiscard]] std::vector<std::string> read_text_lines(const std::filesystem::path& path);

}  // namespace hg::app
