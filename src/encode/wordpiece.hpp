// SPDX-License-Identifier: Apache-2.0
// WordPiece: text -> token ids for BERT-family models, from vocab.txt and tokenizer_config.json.
//
// BERT's BasicTokenizer (clean, space out ideographs, strip accents, lower-case, split at space and
// punctuation) and greedy longest-match pieces (Devlin et al., 2019; Wu et al., 2016). Token for
// token what the Hugging Face `tokenizers` library gives, with its two surprises: a special token
// typed in a text,
// "[SEP]", is taken for the token, and a word of more than 100 characters is one [UNK]. Bytes that
// are not UTF-8 are dropped, as U+FFFD is. tokenizer.json is not read: its truncation and padding
// blocks are of another use. Torch-free; const-safe.
//
//   const WordPiece tokenizer = value_or_throw(WordPiece::load(".cache/models/all-MiniLM-L6-v2"));
//   std::vector<std::int32_t> ids = tokenizer.encode("Toy Story");   // [CLS] toy story [SEP]
#pragma once

#include "core/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::encode {

struct WordPieceOptions {
    bool lower_case = true;
    bool strip_accents = true;
    bool split_ideographs = true;
    std::size_t max_length = 512;  // tokens, [CLS] and [SEP] included
    std::string unknown = "[UNK]";
    std::string classify = "[CLS]";
    std::string separate = "[SEP]";
    std::string pad = "[PAD]";
    std::string mask = "[MASK]";
};

class WordPiece {
  public:
    /// A folder of the Hugging Face layout; max_length is sentence_bert_config.json's, else
    /// tokenizer_config.json's, else config.json's, never above the last.
    [[nodiscard]] static Result<WordPiece> load(const std::filesystem::path& folder);
    /// Piece i has id i. Fails when a special token is not among them.
    [[nodiscard]] static Result<WordPiece> from_pieces(
        std::vector<std::string> pieces, WordPieceOptions options
    );

    /// [CLS] pieces [SEP], at most max_length of them. Any bytes, any length; O(bytes).
    [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const;

    [[nodiscard]] std::size_t n_pieces() const noexcept { return pieces_.size(); }

    [[nodiscard]] const std::string& piece(std::int32_t id) const;

    [[nodiscard]] const std::vector<std::string>& pieces() const noexcept { return pieces_; }

    [[nodiscard]] const WordPieceOptions& options() const noexcept { return options_; }

    [[nodiscard]] std::int32_t pad_id() const noexcept { return pad_id_; }

    /// Nothing where the vocabulary has no [MASK].
    [[nodiscard]] std::optional<std::int32_t> mask_id() const noexcept;

    /// [UNK], [CLS], [SEP], [PAD] and [MASK], those that are there.
    [[nodiscard]] std::vector<std::int32_t> special_ids() const;

    /// The same tokenizer, cutting earlier.
    [[nodiscard]] WordPiece cut_to(std::size_t max_tokens) const;

  private:
    struct Special {
        std::string text;
        std::int32_t id;
    };

    struct TextHash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    using Index = std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>>;

    [[nodiscard]] Result<void> find_specials();
    [[nodiscard]] std::u32string normalise(std::string_view text) const;
    void append_plain(std::string_view text, std::vector<std::int32_t>& ids) const;
    void append_word(std::u32string_view word, std::vector<std::int32_t>& ids) const;

    WordPieceOptions options_;
    std::vector<std::string> pieces_;
    Index starts_;                   // pieces that begin a word
    Index continuations_;            // pieces written "##x", without the ##
    std::size_t longest_piece_ = 0;  // bytes
    std::array<Special, 5> specials_;
    std::int32_t unknown_id_ = 0;
    std::int32_t classify_id_ = 0;
    std::int32_t separate_id_ = 0;
    std::int32_t pad_id_ = 0;
};

}  // namespace hg::encode
