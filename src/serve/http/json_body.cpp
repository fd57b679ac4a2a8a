// SPDX-License-Identifier: Apache-2.0
#include "serve/http/json_body.hpp"

#include "core/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::serve {
namespace {

constexpr std::size_t max_depth = 32;

/// nlohmann parses any depth but prints by recursion: the depth is bounded before anything is
/// built.
bool is_too_deep(std::string_view body) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const char c = body[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            }
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > max_depth) {
                return true;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

std::unexpected<Error> wrong(
    std::string_view where, std::string_view key, std::string_view expected
) {
    return fail(
        ErrorCode::invalid_argument, fmt::format("{}{} is not {}", where, key, expected), {}
    );
}

Result<nlohmann::json> parse_json(std::string_view body) {
    if (is_too_deep(body)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the body nests deeper than {}", max_depth),
            "send it flat"
        );
    }
    try {
        return nlohmann::json::parse(body);
    } catch (const nlohmann::json::exception& error) {
        // The text of nlohmann's message quotes the input; its place is enough.
        const auto* parse = dynamic_cast<const nlohmann::json::parse_error*>(&error);
        return fail(
            ErrorCode::invalid_argument,
            parse != nullptr ? fmt::format("the body is not JSON at byte {}", parse->byte)
                             : std::string{"the body holds a number out of range"},
            "send JSON in UTF-8"
        );
    }
}

}  // namespace

Result<nlohmann::json> parse_object(std::string_view body) {
    HG_TRY(auto value, parse_json(body));
    if (!value.is_object()) {
        return fail(
            ErrorCode::invalid_argument,
            "the body is not a JSON object",
            "send {\"name\": value, ...}"
        );
    }
    return value;
}

Result<void> check_keys(
    const nlohmann::json& object,
    std::initializer_list<std::string_view> known,
    std::string_view where
) {
    for (const auto& [key, value] : object.items()) {
        if (std::ranges::find(known, std::string_view{key}) == known.end()) {
            const std::vector<std::string_view> names{known};
            constexpr std::size_t shown = 40;
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{}unknown key \"{}\"", where, key.substr(0, shown)),
                suggest(key.substr(0, shown), names)
            );
        }
    }
    return {};
}

Result<std::string> id_of(
    const nlohmann::json& value, std::string_view where, std::size_t max_bytes
) {
    if (value.is_number_integer()) {
        return value.is_number_unsigned() ? std::to_string(value.get<std::uint64_t>())
                                          : std::to_string(value.get<std::int64_t>());
    }
    if (!value.is_string()) {
        return wrong(where, "", "a text");
    }
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() || text.size() > max_bytes) {
        return wrong(where, "", fmt::format("1 to {} bytes long", max_bytes));
    }
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
        return wrong(where, "", "free of control characters");
    }
    return text;
}

Result<std::string> read_id(
    const nlohmann::json& object, const char* key, std::string_view where, std::size_t max_bytes
) {
    const auto found = object.find(key);
    if (found == object.end()) {
        return fail(ErrorCode::invalid_argument, fmt::format("{}{} is missing", where, key), {});
    }
    return id_of(*found, fmt::format("{}{}", where, key), max_bytes);
}

Result<std::optional<double>> read_number(
    const nlohmann::json& object, const char* key, std::string_view where
) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::nullopt;
    }
    if (!found->is_number() || !std::isfinite(found->get<double>())) {
        return wrong(where, key, "a number");
    }
    return found->get<double>();
}

Result<std::optional<std::int64_t>> read_integer(
    const nlohmann::json& object,
    const char* key,
    std::string_view where,
    std::int64_t min,
    std::int64_t max
) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::nullopt;
    }
    const auto expected = fmt::format("a whole number from {} to {}", min, max);
    if (!found->is_number_integer()) {
        return wrong(where, key, expected);
    }
    const bool fits =
        !found->is_number_unsigned() ||
        found->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::max<std::int64_t>(0, max));
    if (!fits || found->get<std::int64_t>() < min || found->get<std::int64_t>() > max) {
        return wrong(where, key, expected);
    }
    return found->get<std::int64_t>();
}

}  // namespace hg::serve
