// SPDX-License-Identifier: Apache-2.0
// Unicode facts that encoding needs: code points out of UTF-8 (broken bytes replaced), words,
// scripts.
//
// A thin layer over utf8proc; beside it only script.cpp and wordpiece.cpp include that.
//
//   for (const std::string& word : lower_case_words("Amélie (2001)")) ...   // "amélie", "2001"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hg::encode {

constexpr char32_t replacement_character = 0xFFFD;

/// The code points of a text; every byte that is not part of valid UTF-8 becomes U+FFFD.
[[nodiscard]] std::u32string decode_utf8(std::string_view text);

/// Appends a code point; U+FFFD where it cannot be encoded.
void append_utf8(std::string& text, char32_t point);
[[nodiscard]] std::string encode_utf8(std::u32string_view points);

/// Lower-cased runs of letters, marks and digits; each CJK ideograph is a word of its own, because
/// Chinese and Japanese write no spaces. O(bytes).
[[nodiscard]] std::vector<std::string> lower_case_words(std::string_view text);

/// The CJK blocks that BERT puts spaces around (ideographs, not kana and not hangul).
[[nodiscard]] bool is_cjk_ideograph(char32_t point) noexcept;

}  // namespace hg::encode
