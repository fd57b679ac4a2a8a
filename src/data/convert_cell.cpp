// SPDX-License-Identifier: Apache-2.0
#include "data/convert_cell.hpp"

#include "data/cell.hpp"
#include "data/row_reader.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <utility>

namespace hg::data {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string_view split_into(
    std::string_view cell, std::string& scratch, std::string_view separators
) {
    scratch.clear();
    while (true) {
        const auto end = cell.find_first_of(separators);
        const auto word = trim(cell.substr(0, end));
        if (!word.empty()) {
            if (!scratch.empty()) {
                scratch += list_separator;
            }
            scratch += word;
        }
        if (end == std::string_view::npos) {
            return scratch;
        }
        cell.remove_prefix(end + 1);
    }
}

/// Whether the comma of "15,50" stands for a point: nothing but two digits behind the only one.
bool has_decimal_comma(std::string_view number) {
    const auto comma = number.find(',');
    return comma != number.npos && number.rfind(',') == comma && number.find('.') == number.npos &&
           number.size() - comma == 3;
}

void append_utf8(std::string& out, std::uint32_t code) {
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return;
    }
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | (code >> 6U));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | (code >> 12U));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (code >> 18U));
        out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

/// Appends what "&amp;" or "&#8211;" at the front means; how many bytes it took, 0 = no entity.
std::size_t take_entity(std::string_view text, std::string& out) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> known{{
        {"&amp;", "&"},
        {"&lt;", "<"},
        {"&gt;", ">"},
        {"&quot;", "\""},
        {"&apos;", "'"},
        {"&nbsp;", " "},
    }};
    for (const auto& [name, meaning] : known) {
        if (text.starts_with(name)) {
            out += meaning;
            return name.size();
        }
    }
    constexpr std::size_t longest = 10;
    const auto end = text.substr(0, longest).find(';');
    if (!text.starts_with("&#") || end == text.npos) {
        return 0;
    }
    const bool is_hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
    const auto digits = text.substr(is_hex ? 3 : 2, end - (is_hex ? 3 : 2));
    std::uint32_t code = 0;
    const auto* const last = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), last, code, is_hex ? 16 : 10);
    if (parsed.ec != std::errc{} || parsed.ptr != last) {
        return 0;
    }
    append_utf8(out, code);
    return end + 1;
}

bool starts_with_word(std::string_view text, std::string_view lower) {
    return text.size() >= lower.size() &&
           std::ranges::equal(text.substr(0, lower.size()), lower, [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
}

/// Where the element that a tag opens ends: behind </script>, or the end of the text.
std::size_t end_of_element(std::string_view text, std::string_view name) {
    for (auto at = text.find("</"); at != text.npos; at = text.find("</", at + 1)) {
        if (starts_with_word(text.substr(at + 2), name)) {
            const auto close = text.find('>', at);
            return close == text.npos ? text.size() : close + 1;
        }
    }
    return text.size();
}

/// How long the tag or comment at the front is; 0 = "<" is an ordinary character.
std::size_t tag_length(std::string_view text) {
    if (text.starts_with("<!--")) {
        const auto end = text.find("-->");
        return end == text.npos ? text.size() : end + 3;
    }
    for (const std::string_view name : {"script", "style"}) {
        if (starts_with_word(text.substr(1), name)) {
            return end_of_element(text, name);
        }
    }
    const char next = text.size() > 1 ? text[1] : ' ';
    const bool is_tag =
        next == '/' || next == '!' || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z');
    const auto end = is_tag ? text.find('>') : text.npos;
    return end == text.npos ? 0 : end + 1;
}

}  // namespace

std::string_view price_of(std::string_view cell, std::string& scratch) {
    const auto first = std::ranges::find_if(cell, is_digit);
    const auto last = std::find_if(first, cell.end(), [](char c) {
        return !is_digit(c) && c != '.' && c != ',';
    });
    auto number = std::string_view{first, last};
    while (!number.empty() && !is_digit(number.back())) {
        number.remove_suffix(1);
    }
    scratch = number;
    if (has_decimal_comma(number)) {
        std::ranges::replace(scratch, ',', '.');
    }
    std::erase(scratch, ',');
    return scratch;
}

std::string_view comma_list(std::string_view cell, std::string& scratch) {
    return split_into(cell, scratch, ",");
}

std::string_view category_path(std::string_view cell, std::string& scratch) {
    constexpr std::string_view separators = ">,\x1f";
    return split_into(cell, scratch, separators);
}

std::string_view first_of_list(std::string_view cell, std::string& /*scratch*/) {
    return trim(cell.substr(0, cell.find_first_of(",\x1f")));
}

std::string_view html_text(std::string_view cell, std::string& scratch) {
    if (cell.find_first_of("<&") == cell.npos) {
        return cell;
    }
    scratch.clear();
    for (std::size_t i = 0; i < cell.size();) {
        const auto rest = cell.substr(i);
        if (cell[i] == '<') {
            const auto length = tag_length(rest);
            scratch += length == 0 ? '<' : ' ';
            i += std::max<std::size_t>(length, 1);
            continue;
        }
        const auto length = cell[i] == '&' ? take_entity(rest, scratch) : 0;
        if (length == 0) {
            scratch += cell[i];
        }
        i += std::max<std::size_t>(length, 1);
    }
    const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    const auto repeats =
        std::ranges::unique(scratch, [&](char a, char b) { return is_blank(a) && is_blank(b); });
    scratch.erase(repeats.begin(), repeats.end());
    std::ranges::replace_if(scratch, is_blank, ' ');
    return trim(scratch);
}

std::string_view time_of_microseconds(std::string_view cell, std::string& scratch) {
    const auto number = parse_number(cell);
    constexpr double year_9999 = 2.534e17;
    if (!number || std::abs(*number) > year_9999) {
        return cell;
    }
    const auto milliseconds = static_cast<TimeMs>(std::floor(*number / 1000));
    auto text = format_time(milliseconds);
    const auto rest = ((milliseconds % 1000) + 1000) % 1000;
    scratch = fmt::format("{}.{:03}Z", text, rest);
    return scratch;
}

}  // namespace hg::data
