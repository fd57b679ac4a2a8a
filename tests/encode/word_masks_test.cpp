// SPDX-License-Identifier: Apache-2.0
#include "encode/word_masks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>

namespace hg::encode {
namespace {

constexpr std::int32_t n_specials = 5;

/// Five special pieces and `n` words.
WordPiece vocabulary_of(std::size_t n) {
    std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (std::size_t i = 0; i < n; ++i) {
        pieces.push_back("w" + std::to_string(i));
    }
    return value_or_throw(WordPiece::from_pieces(std::move(pieces), {}));
}

/// [CLS] n words [SEP]
std::vector<std::int32_t> text_of(std::int32_t n) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(n) + 2);
    std::iota(ids.begin() + 1, ids.end() - 1, n_specials);
    ids.front() = 2;
    ids.back() = 3;
    return ids;
}

TEST(WordMasks, hidden_swapped_and_kept_pieces_have_their_shares) {
    const WordMasker masker{vocabulary_of(1000), {}};
    const auto text = text_of(100);
    Rng rng{7};
    double hidden = 0;
    double swapped = 0;
    double n_asked = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto masked = masker.mask(text, rng);
        ASSERT_EQ(masked.places.size(), 15U);
        for (std::size_t j = 0; j < masked.places.size(); ++j) {
            const auto now = masked.ids[masked.places[j]];
            ASSERT_EQ(masked.answers[j], text[masked.places[j]]);
            ++n_asked;
            hidden += now == 4 ? 1 : 0;
            swapped += now != 4 && now != masked.answers[j] ? 1 : 0;
        }
    }

    // n = 30,000; five standard deviations of a share (false alarms: 6e-7 each).
    EXPECT_NEAR(hidden / n_asked, 0.8, 0.0116);
    EXPECT_NEAR(swapped / n_asked, 0.1 * 0.999, 0.0087);
}

TEST(WordMasks, what_is_not_asked_stays_as_it_is) {
    const WordMasker masker{vocabulary_of(50), {.asked = 0.5}};
    const auto text = text_of(20);
    Rng rng{3};

    const auto masked = masker.mask(text, rng);

    ASSERT_EQ(masked.places.size(), 10U);
    EXPECT_TRUE(std::ranges::is_sorted(masked.places));
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!std::ranges::binary_search(masked.places, i)) {
            EXPECT_EQ(masked.ids[i], text[i]) << i;
        }
    }
}

TEST(WordMasks, special_pieces_are_neither_asked_nor_drawn) {
    const WordMasker masker{vocabulary_of(3), {.asked = 0.9, .hidden = 0, .swapped = 1}};
    // [CLS] [UNK] w [MASK] w [SEP] [PAD]
    const std::vector<std::int32_t> text{2, 1, 5, 4, 6, 3, 0};
    Rng rng{5};
    for (int i = 0; i < 200; ++i) {
        const auto masked = masker.mask(text, rng);

        ASSERT_EQ(masked.places, (std::vector<std::size_t>{2, 4}));
        for (const auto place : masked.places) {
            ASSERT_GE(masked.ids[place], n_specials);
        }
    }
    const std::vector<std::int32_t> nothing{2, 1, 3};
    EXPECT_FALSE(masker.has_words(nothing));
    EXPECT_TRUE(masker.mask(nothing, rng).places.empty());
}

TEST(WordMasks, a_short_text_is_asked_for_one_piece) {
    const WordMasker masker{vocabulary_of(9), {}};
    Rng rng{5};

    EXPECT_EQ(masker.mask(text_of(1), rng).places.size(), 1U);
    EXPECT_EQ(masker.mask(text_of(3), rng).places.size(), 1U);
}

TEST(WordMasks, a_stream_repeats_and_another_differs) {
    const WordMasker masker{vocabulary_of(200), {}};
    const auto text = text_of(100);
    const auto mask = [&](std::uint64_t seed) {
        Rng rng{seed};
        return masker.mask(text, rng);
    };

    EXPECT_EQ(mask(7).ids, mask(7).ids);
    EXPECT_EQ(mask(7).places, mask(7).places);
    EXPECT_NE(mask(7).places, mask(8).places);
}

}  // namespace
}  // namespace hg::encode
