// SPDX-License-Identifier: Apache-2.0
// word_masks: which word pieces of a text are asked for, and what stands in their place.
//
// Devlin et al., "BERT" (2019), section 3.1: 15 % of the pieces are asked; of these 80 % become
// [MASK], 10 % another piece at random and 10 % stay as they are, so that the network has to have
// an opinion of every piece. As in their create_pretraining_data.py a text asks for exactly its
// share, rounded, and for one at least. Special pieces ([CLS], [SEP], padding, [UNK]) are neither
// asked for nor drawn. Torch-free; const-safe.
//
//   const WordMasker masker{tokenizer, {}};
//   const MaskedText text = masker.mask(tokenizer.encode("Toy Story"), rng);
#pragma once

#include "core/rng.hpp"
#include "encode/wordpiece.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::encode {

struct MaskShares {
    double asked = 0.15;   // of the pieces of a text
    double hidden = 0.8;   // of the asked: [MASK] in their place
    double swapped = 0.1;  // of the asked: another piece; the rest stay
};

struct MaskedText {
    std::vector<std::int32_t> ids;      // as long as the text
    std::vector<std::size_t> places;    // asked, ascending
    std::vector<std::int32_t> answers;  // what stood there
};

class WordMasker {
  public:
    /// The tokenizer must have a [MASK].
    WordMasker(const WordPiece& tokenizer, const MaskShares& shares);

    /// Same text and same stream, same masks. Nothing is asked of a text of special pieces alone.
    [[nodiscard]] MaskedText mask(std::span<const std::int32_t> ids, Rng& rng) const;

    /// Whether there is anything to ask for.
    [[nodiscard]] bool has_words(std::span<const std::int32_t> ids) const;

  private:
    [[nodiscard]] bool is_special(std::int32_t id) const {
        return is_special_[static_cast<std::size_t>(id)] != 0;
    }

    MaskShares shares_;
    std::int32_t mask_id_;
    std::vector<std::uint8_t> is_special_;  // [n_pieces]
    std::vector<std::int32_t> words_;       // pieces that are not special
};

}  // namespace hg::encode
