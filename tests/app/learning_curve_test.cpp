// SPDX-License-Identifier: Apache-2.0
// The few-shot curve in one number, and hits that popularity would not have had.
#include "app/learning_curve.hpp"

#include "app/evaluation.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "support/small_world.hpp"

#include <gtest/gtest.h>

#include <array>

namespace hg::app {
namespace {

using Counts = std::array<std::size_t, 3>;

TEST(LearningCurve, each_doubling_of_what_is_known_counts_the_same) {
    const Counts ks{0, 1, 3};  // 0, 1, 2 on the axis

    EXPECT_DOUBLE_EQ(area(ks, std::array{.2, .2, .2}), .2);
    EXPECT_DOUBLE_EQ(area(ks, std::array{.0, .2, .4}), .2);
    EXPECT_DOUBLE_EQ(area(ks, std::array{.0, .4, .4}), .3);
    EXPECT_DOUBLE_EQ(area(std::array<std::size_t, 1>{5}, std::array{.7}), .7);
    EXPECT_DOUBLE_EQ(area({}, {}), 0);
}

TEST(LearningCurve, the_level_is_reached_at_the_first_point_that_is_not_below_it) {
    const Counts ks{0, 2, 5};
    const std::array values{.1, .3, .2};

    EXPECT_EQ(first_to_reach(ks, values, .3), 2U);
    EXPECT_EQ(first_to_reach(ks, values, .05), 0U);
    EXPECT_FALSE(first_to_reach(ks, values, .31));
}

TEST(LearningCurve, popularity_hits_nothing_outside_the_popular_and_knn_reaches_its_own_level) {
    const auto world = hg::testing_support::small_world({.n_users = 400, .n_items = 300});
    const auto protocol = make_protocol(
        world.dataset,
        {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 1, 4}, .max_targets = 4}
    );
    std::vector<Contender> contenders;
    for (const auto* name : {"popularity", "item_knn"}) {
        contenders.push_back({.name = name, .entry = &train::find_model(name)});
    }
    SilentProgress silent;
    const auto outcomes =
        run_protocol(world.dataset, protocol, contenders, {.k = 10}, {silent, {}});

    const auto evaluation = summarise(world.dataset, protocol, outcomes, {.k = 10});

    const auto& popularity = evaluation.rows.at(0);
    const auto& knn = evaluation.rows.at(1);
    EXPECT_EQ(popularity.unpopular_hit, 0);
    EXPECT_GT(popularity.hit, 0);
    EXPECT_GT(knn.unpopular_hit, 0.01);
    EXPECT_EQ(evaluation.match_level, knn.curve.back());
    EXPECT_TRUE(knn.events_to_match);
    EXPECT_FALSE(popularity.events_to_match) << "it does not learn from events";
    EXPECT_EQ(knn.hit_curve.size(), 3U);
    EXPECT_GT(knn.curve_area, popularity.curve_area);
}

TEST(Shuffled, somebody_elses_events_tell_nothing_and_none_are_the_same_as_ones_own) {
    const auto world = hg::testing_support::small_world({.n_users = 200, .n_groups = 4});
    const auto protocol = make_protocol(
        world.dataset,
        {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 4}, .max_targets = 4}
    );
    const Contender contender{
        .name = "item_knn", .entry = &train::find_model("item_knn"), .is_also_shuffled = true
    };
    SilentProgress silent;

    const auto outcomes =
        run_protocol(world.dataset, protocol, {&contender, 1}, {.k = 10}, {silent, {}});
    const auto evaluation = summarise(world.dataset, protocol, outcomes, {.k = 10});

    ASSERT_EQ(evaluation.rows.size(), 2U);
    const auto& own = evaluation.rows[0];
    const auto& shuffled = evaluation.rows[1];
    EXPECT_EQ(shuffled.name, shuffled_name("item_knn"));
    EXPECT_EQ(shuffled.curve[0], own.curve[0]);
    EXPECT_GT(own.curve[1], 1.5 * own.curve[0]);
    // A little is gained by chance: the other user's items, masked, are no longer in the way.
    EXPECT_LT(shuffled.curve[1] - own.curve[0], 0.25 * (own.curve[1] - own.curve[0]));
    EXPECT_EQ(outcomes[1].lists.size(), protocol.n_queries());
}

}  // namespace
}  // namespace hg::app
