// SPDX-License-Identifier: Apache-2.0
#include "policy/knobs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hg::policy {
namespace {

std::vector<Scored> ranked() {
    return {{10, 5.0F}, {11, 4.0F}, {12, 3.0F}, {13, 2.0F}, {14, 1.0F}};
}

std::vector<std::uint32_t> order(const std::vector<Scored>& candidates) {
    std::vector<std::uint32_t> items;
    for (const auto& candidate : candidates) {
        items.push_back(candidate.index);
    }
    return items;
}

TEST(Knobs, all_at_zero_leave_order_and_scores_exactly_as_they_were) {
    auto candidates = ranked();
    const std::vector<Signals> signals(5, Signals{.uncertainty = 3, .novelty = 1, .content = 2});

    apply({}, signals, candidates, 5);
    diversify(0, [](auto, auto) { FAIL() << "not asked for"; }, candidates, 5);

    ASSERT_EQ(candidates.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(candidates[i].index, ranked()[i].index);
        EXPECT_EQ(candidates[i].score, ranked()[i].score);
    }
}

TEST(Knobs, exploration_adds_its_weight_in_standard_deviations_of_score_and_uncertainty) {
    auto candidates = ranked();
    // The scores 5..1 and the uncertainties 1..5 have the same deviation: s' = s + a (u - 3).
    const std::vector<Signals> signals{{1, 0, 0}, {2, 0, 0}, {3, 0, 0}, {4, 0, 0}, {5, 0, 0}};

    apply({.exploration = 0.5}, signals, candidates, 5);

    EXPECT_THAT(order(candidates), testing::ElementsAre(10, 11, 12, 13, 14));
    EXPECT_NEAR(candidates[0].score, 5 - 0.5 * 2, 1e-5);
    EXPECT_NEAR(candidates[4].score, 1 + 0.5 * 2, 1e-5);
    candidates = ranked();
    apply({.exploration = 3}, signals, candidates, 2);
    EXPECT_THAT(order(candidates), testing::ElementsAre(14, 13)) << "the best two";
}

TEST(Knobs, mean_the_same_whatever_the_scale_of_scores_and_signals) {
    auto small = ranked();
    auto large = ranked();
    for (auto& candidate : large) {
        candidate.score = 1000 * candidate.score - 7;
    }
    const std::vector<Signals> signals{{1, 3, 0}, {1, 1, 0}, {9, 2, 0}, {2, 8, 0}, {1, 5, 0}};
    auto scaled = signals;
    for (auto& signal : scaled) {
        signal.uncertainty *= 1e-4F;
        signal.novelty = 50 * signal.novelty + 3;
    }
    const Knobs knobs{.exploration = 0.8, .novelty = -0.4};

    apply(knobs, signals, small, 5);
    apply(knobs, scaled, large, 5);

    EXPECT_EQ(order(small), order(large));
}

TEST(Knobs, a_signal_that_is_equal_for_all_does_nothing) {
    auto candidates = ranked();
    const std::vector<Signals> signals(5, Signals{.uncertainty = 0.3F});

    apply({.exploration = 5, .content = 5}, signals, candidates, 5);

    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(candidates[i].score, ranked()[i].score);
    }
}

TEST(Knobs, diversity_takes_from_an_item_its_likeness_to_those_above) {
    // 10 and 11 are the same thing, the others are like nothing.
    const LikenessOf twins = [](std::size_t place, std::span<float> out) {
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = place + i == 1 ? 1.0F : 0.0F;
        }
    };
    auto candidates = ranked();

    diversify(1, twins, candidates, 4);

    EXPECT_THAT(order(candidates), testing::ElementsAre(10, 12, 11, 13));
    EXPECT_NEAR(candidates[2].score, 4 - std::sqrt(2.0), 1e-5);
    for (std::size_t i = 1; i < candidates.size(); ++i) {
        EXPECT_LE(candidates[i].score, candidates[i - 1].score) << "still best first";
    }
}

TEST(Knobs, constant_ones_are_the_same_for_everyone) {
    const ConstantKnobs policy{{.exploration = 0.25}};

    EXPECT_EQ(policy.choose({}).exploration, 0.25);
    EXPECT_EQ(policy.choose({.summary = BeliefSummary{{1, 1, 0, 2}}}), policy.choose({}));
    EXPECT_EQ(
        to_text(policy.choose({})), "knobs(exploration=0.25,novelty=0,content=0,diversity=0)"
    );
}

}  // namespace
}  // namespace hg::policy
