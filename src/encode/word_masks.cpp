// SPDX-License-Identifier: Apache-2.0
#include "encode/word_masks.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>

namespace hg::encode {

WordMasker::WordMasker(const WordPiece& tokenizer, const MaskShares& shares)
    : shares_(shares),
      mask_id_(tokenizer.mask_id().value_or(-1)),
      is_special_(tokenizer.n_pieces(), 0) {
    HG_CHECK(mask_id_ >= 0, "the vocabulary has a [MASK]");
    for (const auto id : tokenizer.special_ids()) {
        is_special_[static_cast<std::size_t>(id)] = 1;
    }
    for (std::size_t id = 0; id < is_special_.size(); ++id) {
        if (is_special_[id] == 0) {
            words_.push_back(static_cast<std::int32_t>(id));
        }
    }
}

MaskedText WordMasker::mask(std::span<const std::int32_t> ids, Rng& rng) const {
    MaskedText out;
    out.ids.assign(ids.begin(), ids.end());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (!is_special(ids[i])) {
            out.places.push_back(i);
        }
    }
    if (out.places.empty()) {
        return out;
    }
    const auto wanted = std::llround(shares_.asked * static_cast<double>(out.places.size()));
    rng.shuffle(std::span{out.places});
    out.places.resize(
        std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, out.places.size())
    );
    std::ranges::sort(out.places);
    for (const auto place : out.places) {
        out.answers.push_back(ids[place]);
        const auto chance = rng.uniform();
        if (chance < shares_.hidden) {
            out.ids[place] = mask_id_;
        } else if (chance < shares_.hidden + shares_.swapped) {
            out.ids[place] = words_[rng.below(words_.size())];
        }
    }
    return out;
}

bool WordMasker::has_words(std::span<const std::int32_t> ids) const {
    return std::ranges::any_of(ids, [this](std::int32_t id) { return !is_special(id); });
}

}  // namespace hg::encode
