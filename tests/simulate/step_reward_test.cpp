// SPDX-License-Identifier: Apache-2.0
#include "simulate/step_reward.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace hg::simulate {
namespace {

TEST(StepReward, is_the_weighted_sum_of_its_terms) {
    const std::array responses{
        Response{.clicked = true, .value = 3}, Response{.clicked = false}, Response{.clicked = true}
    };
    const StepOutcome outcome{
        .responses = responses, .preference_before = 0.25, .preference_after = 0.75
    };

    EXPECT_DOUBLE_EQ(StepReward{{.event = 2}}(outcome), 4);
    EXPECT_DOUBLE_EQ(StepReward{{.log_value = 1}}(outcome), std::log(4.0));
    EXPECT_DOUBLE_EQ(StepReward{{.preference_gain = 3}}(outcome), 1.5);
    EXPECT_DOUBLE_EQ(StepReward{{.survival = 0.5}}(outcome), 0.5);
    EXPECT_DOUBLE_EQ((StepReward{{.event = 1, .survival = 1}}(outcome)), 3);
    EXPECT_DOUBLE_EQ(StepReward{{}}(outcome), 0);
}

TEST(StepReward, survival_is_lost_with_the_user) {
    EXPECT_DOUBLE_EQ(StepReward{{.survival = 1}}({.ended = true}), 0);
}

TEST(StepReward, diversity_is_the_mean_cosine_distance_of_pairs) {
    const Matrix<float> items(3, 2, {1, 0, 0, 2, 3, 0});  // right angles twice, the same once

    EXPECT_NEAR(StepReward{{.diversity = 1}}({.items = items.view()}), 2.0 / 3, 1e-12);
    EXPECT_DOUBLE_EQ(slate_diversity(items.view().rows_slice(0, 1)), 0);
}

TEST(StepReward, novelty_is_mean_bits_and_the_constraint_charges_what_is_missing) {
    const std::array<float, 2> bits{2, 6};
    const std::array<std::uint8_t, 4> tail{1, 0, 0, 0};

    EXPECT_DOUBLE_EQ(StepReward{{.novelty = 0.5}}({.self_information = bits}), 2);
    EXPECT_DOUBLE_EQ((StepReward{{.constraint = 4, .min_share = 0.5}}({.is_protected = tail})), -1);
    EXPECT_DOUBLE_EQ((StepReward{{.constraint = 4, .min_share = 0.2}}({.is_protected = tail})), 0);
}

TEST(StepReward, a_purchase_counts_beside_its_click) {
    const std::array responses{
        Response{.clicked = true, .purchased = true, .value = 0},
        Response{.clicked = true},
        Response{.clicked = false}
    };

    EXPECT_DOUBLE_EQ((StepReward{{.event = 1, .purchase = 5}}({.responses = responses})), 7);
    EXPECT_FALSE(RewardOptions{.purchase = 5}.is_off());
}

}  // namespace
}  // namespace hg::simulate
