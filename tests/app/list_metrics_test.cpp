// SPDX-License-Identifier: Apache-2.0
// evaluate --metric: values of a hand-made protocol, and what is told where data lack something.
#include "app/list_metrics.hpp"

#include "app/evaluation.hpp"
#include "app/protocol_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::app {
namespace {

/// Two users who learned from each other's past; three items of two genres.
struct HandMade {
    HandMade() {
        for (const auto* item : {"a", "b", "c"}) {
            dataset.items.intern(item);
        }
        dataset.users.intern("ann");
        dataset.users.intern("bob");
        dataset.users.intern("eve");
        dataset.name = "hand-made";
        Trial trial;
        trial.train = data::InteractionLog::from_events(
            {
                {.user = UserId{0}, .item = ItemId{0}},
                {.user = UserId{0}, .item = ItemId{0}},  // twice by one user
                {.user = UserId{1}, .item = ItemId{0}},
                {.user = UserId{1}, .item = ItemId{1}},
            },
            3,  // one of them without events
            3
        );
        data::History history;
        history.items = seen;
        trial.queries.push_back({.user = UserId{0}, .history = history, .targets = {ItemId{1}}});
        trial.queries.push_back({.user = UserId{1}, .history = history, .targets = {ItemId{2}}});
        protocol.trials.push_back(std::move(trial));
    }

    [[nodiscard]] std::optional<double> value(const char* name) const {
        const std::vector<std::string> names{name};
        const auto index = index_of(dataset, protocol);
        return find_list_metrics(names).front()->value(
            {.lists = lists, .index = index, .dataset = dataset, .k = 2}
        );
    }

    data::Dataset dataset;
    std::vector<ItemId> seen{ItemId{0}};
    Protocol protocol;
    std::vector<evaluate::ItemList> lists{{ItemId{1}, ItemId{2}}, {ItemId{1}, ItemId{2}}};
};

TEST(ListMetrics, accuracy_is_that_of_where_the_targets_stand) {
    const HandMade made;

    EXPECT_DOUBLE_EQ(*made.value("f1"), 2.0 / 3) << "one of two shown, one of one found";
    EXPECT_DOUBLE_EQ(*made.value("r_precision"), .5) << "only the first user's target is first";
    EXPECT_DOUBLE_EQ(*made.value("rank_biased_precision"), .2 * (1 + .8) / 2);
}

TEST(ListMetrics, novelty_counts_events_or_users_of_training) {
    const HandMade made;

    EXPECT_DOUBLE_EQ(*made.value("average_popularity"), .5) << "one event of b, none of c";
    EXPECT_DOUBLE_EQ(*made.value("popularity_lift"), (.5 - 3) / 3);
    EXPECT_DOUBLE_EQ(*made.value("inverse_user_frequency_bits"), 1)
        << "one of two users; none counts as one";
}

TEST(ListMetrics, exposure_is_of_all_lists_together) {
    const HandMade made;

    EXPECT_DOUBLE_EQ(*made.value("herfindahl"), .5);
    EXPECT_DOUBLE_EQ(*made.value("exposure_entropy_nats"), std::log(2));
    EXPECT_NEAR(*made.value("personalisation"), 0, 1e-12) << "both see the same";
}

TEST(ListMetrics, what_the_data_lack_gives_no_value) {
    const HandMade made;

    EXPECT_FALSE(made.value("calibration_js_bits"));
    EXPECT_FALSE(made.value("genre_entropy_nats"));
    EXPECT_FALSE(made.value("unexpectedness"));
}

TEST(ListMetrics, all_are_found_and_a_slip_is_told) {
    const std::vector<std::string> all{"all"};
    EXPECT_EQ(find_list_metrics(all).size(), list_metrics().size());

    const std::vector<std::string> slip{"f2"};
    try {
        (void)find_list_metrics(slip);
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("--metric f2"));
        EXPECT_THAT(error.hint(), testing::HasSubstr("did you mean f1?"));
    }
}

TEST(ListMetrics, the_table_shows_what_was_asked_for_and_the_json_the_usual_ones_too) {
    const HandMade made;
    const std::vector<std::string> names{"f1", "genre_entropy_nats"};
    Outcome outcome;
    outcome.name = "model";
    outcome.lists = made.lists;
    for (auto* values :
         {&outcome.accuracy.ndcg,
          &outcome.accuracy.hit,
          &outcome.accuracy.recall,
          &outcome.accuracy.precision,
          &outcome.accuracy.average_precision,
          &outcome.accuracy.reciprocal_rank}) {
        *values = {1, 1};
    }

    const auto evaluation = summarise(
        made.dataset,
        made.protocol,
        std::vector{outcome},
        {.k = 2, .metrics = find_list_metrics(names)}
    );

    const auto text = to_text(evaluation);
    EXPECT_THAT(text, testing::HasSubstr("f1: harmonic mean"));
    EXPECT_THAT(text, testing::HasSubstr("model  0.6667\n"));
    EXPECT_THAT(text, testing::HasSubstr("model  -\n"));
    EXPECT_THAT(text, testing::Not(testing::HasSubstr("personalisation")));
    const auto row = to_json(evaluation).at("rows").at(0);
    EXPECT_DOUBLE_EQ(row.at("f1"), 2.0 / 3);
    EXPECT_NEAR(row.at("personalisation").get<double>(), 0, 1e-12);
    EXPECT_FALSE(row.contains("genre_entropy_nats"));
}

}  // namespace
}  // namespace hg::app
