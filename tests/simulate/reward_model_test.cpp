// SPDX-License-Identifier: Apache-2.0
#include "simulate/reward_model.hpp"

#include <gtest/gtest.h>

namespace hg::simulate {
namespace {

TEST(EventWeightReward, adds_up_the_weights_of_the_events_that_followed) {
    data::HistoryBuffer buffer;
    buffer.add({.item = ItemId{1}, .weight = 5});
    buffer.add({.item = ItemId{2}, .weight = 3});
    buffer.add({.item = ItemId{3}, .weight = -1});
    const auto all = buffer.view();

    EXPECT_DOUBLE_EQ(EventWeightReward{}.reward(all.head(1), {}, all), 2);
    EXPECT_DOUBLE_EQ(EventWeightReward{}.reward(all, {}, all), 0);
}

TEST(EventWeightReward, a_next_state_that_does_not_continue_the_state_is_a_bug) {
    data::HistoryBuffer buffer;
    buffer.add(ItemId{1});

    EXPECT_THROW(
        (void)EventWeightReward{}.reward(buffer.view(), {}, data::History{}), std::logic_error
    );
}

}  // namespace
}  // namespace hg::simulate
