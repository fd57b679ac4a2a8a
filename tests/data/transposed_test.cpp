// SPDX-License-Identifier: Apache-2.0
#include "data/transposed.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hg::data {
namespace {

Dataset stars() {
    Dataset dataset;
    dataset.name = "stars";
    dataset.event_types = {{.name = "rating"}};
    for (const auto* name : {"ann", "bob"}) {
        dataset.users.intern(name);
    }
    for (const auto* name : {"film", "play", "song"}) {
        dataset.items.intern(name);
    }
    dataset.log = InteractionLog::from_events(
        {{.user = UserId{0}, .item = ItemId{2}, .value = 5, .time = 30},
         {.user = UserId{0}, .item = ItemId{0}, .value = 4, .time = 10},
         {.user = UserId{1}, .item = ItemId{2}, .weight = -1, .time = 20}},
        2,
        3
    );
    return dataset;
}

TEST(Transposed, an_items_history_is_who_rated_it_in_the_order_of_time) {
    const auto of_items = transposed(stars());

    EXPECT_EQ(of_items.users.name(2), "song");
    EXPECT_EQ(of_items.items.name(0), "ann");
    ASSERT_EQ(of_items.log.n_users(), 3);
    const auto song = of_items.log.history(UserId{2});
    ASSERT_EQ(song.size(), 2);
    EXPECT_EQ(song.items[0], ItemId{1});
    EXPECT_EQ(song.weight(0), -1);
    EXPECT_TRUE(std::isnan(song.values[0]));
    EXPECT_EQ(song.items[1], ItemId{0});
    EXPECT_EQ(song.values[1], 5);
    EXPECT_EQ(of_items.log.history(UserId{1}).size(), 0);
}

TEST(Transposed, twice_is_the_same_log) {
    const auto dataset = stars();
    const auto again = transposed(transposed(dataset));

    for (std::uint32_t u = 0; u < 2; ++u) {
        const auto was = dataset.log.history(UserId{u});
        const auto is = again.log.history(UserId{u});
        ASSERT_EQ(was.size(), is.size());
        for (std::size_t i = 0; i < was.size(); ++i) {
            EXPECT_EQ(was.items[i], is.items[i]);
            EXPECT_EQ(was.weight(i), is.weight(i));
            EXPECT_EQ(was.times[i], is.times[i]);
        }
    }
}

}  // namespace
}  // namespace hg::data
