// SPDX-License-Identifier: Apache-2.0
#include "encode/script.hpp"

#include "encode/unicode.hpp"

#include <utf8proc.h>

namespace hg::encode {
namespace {

bool is_letter(char32_t point) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(point));
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/// Basic Latin to Latin Extended-B, and Latin Extended Additional.
bool is_latin(char32_t point) {
    return point < 0x250 || (point >= 0x1E00 && point <= 0x1EFF);
}

}  // namespace

double LetterCount::latin_share() const noexcept {
    return total() == 0 ? 1.0 : static_cast<double>(latin) / static_cast<double>(total());
}

LetterCount& LetterCount::operator+=(const LetterCount& more) noexcept {
    latin += more.latin;
    other += more.other;
    return *this;
}

LetterCount count_letters(std::string_view text) {
    LetterCount count;
    for (const auto point : decode_utf8(text)) {
        if (!is_letter(point)) {
            continue;
        }
        ++(is_latin(point) ? count.latin : count.other);
    }
    return count;
}

}  // namespace hg::encode
