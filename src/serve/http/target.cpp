// SPDX-License-Identifier: Apache-2.0
#include "serve/http/target.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

namespace hg::serve {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

enum class Plus : std::uint8_t { is_plus, is_space };

Result<std::string> decode(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::is_space) {
            out += ' ';
            continue;
        }
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return fail(
                ErrorCode::invalid_argument,
                "a % in the address is not followed by two hex digits",
                "write a percent sign as %25"
            );
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (std::ranges::any_of(out, [](unsigned char c) { return c < 0x20; })) {
        return fail(
            ErrorCode::invalid_argument,
            "the address holds a control character",
            "ids are printable text"
        );
    }
    if (!simdjson::validate_utf8(out)) {
        return fail(
            ErrorCode::invalid_argument,
            "the address holds bytes that are not UTF-8",
            "encode ids as UTF-8 before writing them with %"
        );
    }
    return out;
}

}  // namespace

Result<std::int64_t> Target::number(
    const std::string& key, std::int64_t fallback, std::int64_t min, std::int64_t max
) const {
    const auto found = query.find(key);
    if (found == query.end()) {
        return fallback;
    }
    const auto& text = found->second;
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{}={} is not a whole number from {} to {}", key, text, min, max),
            fmt::format("for example {}={}", key, fallback)
        );
    }
    return value;
}

Result<Target> parse_target(std::string_view text) {
    Target target;
    const auto question = std::min(text.find('?'), text.size());
    auto path = text.substr(0, question);
    if (!path.starts_with('/')) {
        return fail(
            ErrorCode::invalid_argument, "the address does not begin with /", "send a path"
        );
    }
    path.remove_prefix(1);
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        HG_TRY(auto segment, decode(path.substr(0, slash), Plus::is_plus));
        target.segments.push_back(std::move(segment));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    auto query = text.substr(std::min(question + 1, text.size()));
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        const auto equals = std::min(pair.find('='), pair.size());
        HG_TRY(auto key, decode(pair.substr(0, equals), Plus::is_space));
        HG_TRY(auto value, decode(pair.substr(std::min(equals + 1, pair.size())), Plus::is_space));
        if (!key.empty()) {
            target.query.insert_or_assign(std::move(key), std::move(value));
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return target;
}

}  // namespace hg::serve
