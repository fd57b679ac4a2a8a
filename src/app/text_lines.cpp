// SPDX-License-Identifier: Apache-2.0
#include "app/text_lines.hpp"

#include "core/error.hpp"
#include "core/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace hg::app {

std::vector<std::string> read_text_lines(const std::filesystem::path& path) {
    const auto content = value_or_throw(read_file(path));
    std::vector<std::string> texts;
    for (std::string_view left = content; !left.empty();) {
        const auto end = std::min(left.find('\n'), left.size());
        const auto json = nlohmann::json::parse(left.substr(0, end), nullptr, false);
        if (!json.is_string()) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{}:{}: not a JSON string", path.string(), texts.size() + 1),
                "write one quoted text a line, as json.dumps(text) does",
            };
        }
        texts.push_back(json.get<std::string>());
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return texts;
}

}  // namespace hg::app
