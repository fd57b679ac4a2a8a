// SPDX-License-Identifier: Apache-2.0
#include "train/first_screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::train {
namespace {

using testing::ElementsAre;

/// Two tastes; items 0 and 1 ask for the first, 2 for the second, 3 for neither.
GaussianPrior two_tastes() {
    return GaussianPrior{{
        .item_vectors = Matrix<float>(4, 2, {1, 0, 1, 0, 0, 1, 0.01F, 0}),
        .segments = {{"", {{0, 0}, {1, 0, 0, 1}}}},
        .noise_variance = 0.1F,
    }};
}

constexpr std::array shares{0.5F, 0.45F, 0.3F, 0.6F};

TEST(FirstScreen, by_popularity_is_the_order_of_the_shares) {
    EXPECT_THAT(
        first_screen(two_tastes(), shares, Asking::popularity, 4), ElementsAre(3U, 0U, 1U, 2U)
    );
}

TEST(FirstScreen, evidence_leaves_out_what_tells_nothing) {
    EXPECT_THAT(
        first_screen(two_tastes(), shares, Asking::evidence, 4), ElementsAre(0U, 1U, 2U, 3U)
    );
}

TEST(FirstScreen, information_does_not_ask_the_same_twice) {
    // After item 0 half of the doubt about the first taste is gone: item 2 tells more than item 1.
    //   item 2: .3 log(1 + 1 / .1) / 2 = .360;  item 1: C00 = 1 - .5 / 1.1 = .545, .45 log(6.45) / 2 = .420
    // so with shares this close the twin still comes first; when it is rarer, it does not.
    constexpr std::array rarer_twin{0.5F, 0.35F, 0.3F, 0.6F};  // twin: .35 * 1.865 / 2 = .326
    EXPECT_THAT(
        first_screen(two_tastes(), shares, Asking::information, 3), ElementsAre(0U, 1U, 2U)
    );
    EXPECT_THAT(
        first_screen(two_tastes(), rarer_twin, Asking::information, 3), ElementsAre(0U, 2U, 1U)
    );
    EXPECT_THAT(
        first_screen(two_tastes(), rarer_twin, Asking::evidence, 3), ElementsAre(0U, 1U, 2U)
    );
}

TEST(FirstScreen, a_shorter_list_is_the_start_of_a_longer_and_unknown_items_are_not_asked_for) {
    constexpr std::array some{0.5F, 0.0F, 0.3F, 0.6F};
    for (const auto how :
         {Asking::popularity, Asking::entropy, Asking::evidence, Asking::information}) {
        const auto two = first_screen(two_tastes(), some, how, 2);
        const auto all = first_screen(two_tastes(), some, how, 10);
        ASSERT_EQ(all.size(), 3U);
        EXPECT_THAT(two, ElementsAre(all[0], all[1]));
        EXPECT_THAT(all, testing::Not(testing::Contains(1U)));
    }
}

}  // namespace
}  // namespace hg::train
