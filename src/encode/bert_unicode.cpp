// SPDX-License-Identifier: Apache-2.0
#include "encode/bert_unicode.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

namespace hg::encode {
namespace {

struct Range {
    char32_t first;
    char32_t last;
};

#include "encode/bert_unicode_tables.inc"

bool contains(std::span<const Range> ranges, char32_t point) {
    const auto after = std::ranges::upper_bound(ranges, point, {}, &Range::first);
    return after != ranges.begin() && point <= std::prev(after)->last;
}

}  // namespace

bool is_bert_removed(char32_t point) noexcept {
    return contains(removed, point);
}

bool is_bert_mark(char32_t point) noexcept {
    return contains(marks, point);
}

bool is_bert_punctuation(char32_t point) noexcept {
    return contains(punctuation, point);
}

bool is_bert_space(char32_t point) noexcept {
    return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
           point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

}  // namespace hg::encode
