// SPDX-License-Identifier: Apache-2.0
#include "encode/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstddef>

namespace hg::encode {
namespace {

bool is_word_part(char32_t point) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(point))) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_MN:
        case UTF8PROC_CATEGORY_MC:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_NL:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
    std::u32string points;
    points.reserve(text.size());
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    auto left = static_cast<utf8proc_ssize_t>(text.size());
    while (left > 0) {
        utf8proc_int32_t point = -1;
        const auto used = utf8proc_iterate(bytes, left, &point);
        const auto step = used > 0 ? used : 1;
        points.push_back(used > 0 ? static_cast<char32_t>(point) : replacement_character);
        bytes += step;
        left -= step;
    }
    return points;
}

void append_utf8(std::string& text, char32_t point) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    auto used = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes.data());
    if (used <= 0) {
        used = utf8proc_encode_char(
            static_cast<utf8proc_int32_t>(replacement_character), bytes.data()
        );
    }
    text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(used));
}

std::string encode_utf8(std::u32string_view points) {
    std::string text;
    text.reserve(points.size());
    for (const auto point : points) {
        append_utf8(text, point);
    }
    return text;
}

std::vector<std::string> lower_case_words(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    const auto finish = [&words, &word] {
        if (!word.empty()) {
            words.push_back(std::move(word));
        }
        word.clear();
    };
    for (const auto point : decode_utf8(text)) {
        if (!is_word_part(point)) {
            finish();
            continue;
        }
        const bool stands_alone = is_cjk_ideograph(point);
        if (stands_alone) {
            finish();
        }
        append_utf8(
            word, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point)))
        );
        if (stands_alone) {
            finish();
        }
    }
    finish();
    return words;
}

bool is_cjk_ideograph(char32_t point) noexcept {
    struct Range {
        char32_t first;
        char32_t last;
    };

    // The list of the `tokenizers` library; Google's original begins the seventh at 0x2B820.
    static constexpr std::array ranges{
        Range{0x3400, 0x4DBF},
        Range{0x4E00, 0x9FFF},
        Range{0xF900, 0xFAFF},
        Range{0x20000, 0x2A6DF},
        Range{0x2A700, 0x2B73F},
        Range{0x2B740, 0x2B81F},
        Range{0x2B920, 0x2CEAF},
        Range{0x2F800, 0x2FA1F},
    };
    return std::ranges::any_of(ranges, [point](const Range& range) {
        return point >= range.first && point <= range.last;
    });
}

}  // namespace hg::encode
