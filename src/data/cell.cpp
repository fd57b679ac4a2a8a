// SPDX-License-Identifier: Apache-2.0
#include "data/cell.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace hg::data {
namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<double> parse_number(std::string_view cell) noexcept {
    cell = trim(cell);
    // Most numbers of a log are short whole ones; a loop is three times as fast as from_chars.
    constexpr std::size_t exact_digits = 15;
    if (!cell.empty() && cell.size() <= exact_digits) {
        std::int64_t whole = 0;
        bool is_whole = true;
        for (const char c : cell) {
            is_whole = is_whole && c >= '0' && c <= '9';
            whole = whole * 10 + (c - '0');
        }
        if (is_whole) {
            return static_cast<double>(whole);
        }
    }
    if (cell.starts_with('+')) {
        cell.remove_prefix(1);
    }
    double value = 0;
    const auto* const end = cell.data() + cell.size();
    const auto [stop, code] = std::from_chars(cell.data(), end, value);
    if (code != std::errc{} || stop != end || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

bool is_missing(std::string_view cell) noexcept {
    constexpr std::array<std::string_view, 9> words{
        "NULL",
        "null",
        "\\N",
        "NaN",
        "nan",
        "NA",
        "N/A",
        "n/a",
        "None",
    };
    return cell.empty() || trim(cell).empty() || std::ranges::find(words, cell) != words.end();
}

bool is_utf8(std::string_view text) noexcept {
    const bool is_ascii =
        std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
    return is_ascii || simdjson::validate_utf8(text.data(), text.size());
}

std::string_view id_problem(std::string_view text) noexcept {
    if (text.empty()) {
        return "is empty";
    }
    if (text.size() > longest_id) {
        return "is longer than 1024 bytes";
    }
    if (text.find('\0') != std::string_view::npos) {
        return "holds a zero byte";
    }
    if (!is_utf8(text)) {
        return "is not UTF-8";
    }
    return {};
}

}  // namespace hg::data
