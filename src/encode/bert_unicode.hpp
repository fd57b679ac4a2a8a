// SPDX-License-Identifier: Apache-2.0
// What BERT's tokenizer takes for control characters, accents, punctuation and space.
//
// Tables of the Hugging Face `tokenizers` library (Unicode 8), not of the machine's utf8proc: newer
// punctuation and marks are ordinary characters there, and a token more or less changes a vector.
#pragma once

namespace hg::encode {

/// Controls, formats, private use and U+FFFD: dropped. Tab, line feed and carriage return are not.
[[nodiscard]] bool is_bert_removed(char32_t point) noexcept;
/// Nonspacing marks, dropped when accents are stripped.
[[nodiscard]] bool is_bert_mark(char32_t point) noexcept;
/// A word of its own.
[[nodiscard]] bool is_bert_punctuation(char32_t point) noexcept;
/// Between words: the White_Space property.
[[nodiscard]] bool is_bert_space(char32_t point) noexcept;

}  // namespace hg::encode
