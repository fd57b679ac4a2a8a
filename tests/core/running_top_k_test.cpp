// SPDX-License-Identifier: Apache-2.0
#include "core/running_top_k.hpp"

#include "core/rng.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace hg {
namespace {

TEST(RunningTopK, of_blocks_in_any_order_equals_the_best_of_the_row) {
    Rng rng{5};
    for (int round = 0; round < 100; ++round) {
        std::vector<float> scores(1 + rng.below(60));
        for (auto& score : scores) {
            score = static_cast<float>(rng.below(8));  // many ties
        }
        const auto k = rng.below(20);
        const auto cut = rng.below(scores.size());
        const std::span all{scores};

        RunningTopK best{k};
        best.add(static_cast<std::uint32_t>(cut), all.subspan(cut));
        best.add(0, all.first(cut));
        const auto found = std::move(best).take();

        const auto expected = top_k(scores, k);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_EQ(found[i].index, expected[i].index);
        }
    }
}

TEST(RunningTopK, has_a_threshold_once_it_is_full_and_takes_no_nan) {
    RunningTopK best{2};
    best.add(0, std::array{std::nanf(""), 3.0F});
    EXPECT_EQ(best.threshold(), masked_score);

    best.add(2, std::array{5.0F, 4.0F});

    EXPECT_FLOAT_EQ(best.threshold(), 4.0F);
    EXPECT_FALSE(best.is_among_best({.index = 9, .score = 4.0F})) << "ties go to the lower index";
    EXPECT_TRUE(best.is_among_best({.index = 1, .score = 4.0F}));
}

}  // namespace
}  // namespace hg
