// SPDX-License-Identifier: Apache-2.0
#include "app/advise.hpp"

#include "core/rng.hpp"
#include "support/small_world.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::app {
namespace {

using testing_support::small_world;

Advice advise_on(const data::Dataset& dataset) {
    SilentProgress silent;
    return make_advice(dataset, {}, {silent, {}});
}

/// Every user likes items drawn from the same distribution: there is nothing personal to learn.
data::Dataset impersonal_dataset() {
    data::Dataset dataset;
    dataset.name = "impersonal";
    dataset.event_types = {{.name = "click"}};
    constexpr std::size_t n_users = 400;
    constexpr std::size_t n_items = 60;
    Rng rng{5};
    std::vector<data::Interaction> events;
    for (std::size_t i = 0; i < n_items; ++i) {
        dataset.items.intern(fmt::format("i{}", i));
    }
    for (std::uint32_t u = 0; u < n_users; ++u) {
        dataset.users.intern(fmt::format("u{}", u));
        std::vector<std::uint8_t> taken(n_items);
        for (std::size_t n = 0; n < 8;) {
            const double x = rng.uniform();
            const auto item = static_cast<std::uint32_t>(x * x * static_cast<double>(n_items));
            if (taken[item] != 0) {
                continue;
            }
            taken[item] = 1;
            events.push_back({.user = {u}, .item = {item}, .time = static_cast<TimeMs>(n)});
            ++n;
        }
    }
    dataset.log = data::InteractionLog::from_events(std::move(events), n_users, n_items);
    return dataset;
}

TEST(Advise, says_when_there_is_too_little_data_and_still_names_a_start) {
    const auto world = small_world();

    const auto advice = advise_on(world.dataset);

    EXPECT_EQ(advice.verdict, Verdict::too_little_data);
    EXPECT_EQ(advice.model, "popularity");
    EXPECT_FALSE(advice.check.has_value());
    EXPECT_THAT(to_text(advice), testing::HasSubstr("too little data"));
    EXPECT_THAT(to_text(advice), testing::HasSubstr("honeyguide train --model popularity"));
}

TEST(Advise, says_that_popularity_is_enough_where_nothing_personal_is_to_be_learned) {
    const auto advice = advise_on(impersonal_dataset());

    EXPECT_EQ(advice.verdict, Verdict::popularity_is_enough);
    EXPECT_THAT(advice.summary, testing::HasSubstr("popularity is enough for you"));
}

TEST(Advise, names_a_better_model_with_its_interval_where_groups_are_clear) {
    const auto world = small_world({.n_users = 300, .n_items = 60});
    const auto advice = advise_on(world.dataset);
    ASSERT_TRUE(advice.check.has_value());
    if (advice.check->rows.size() < 2) {
        GTEST_SKIP() << "no model but popularity in this build";
    }

    EXPECT_NE(advice.verdict, Verdict::popularity_is_enough);
    EXPECT_THAT(advice.summary, testing::HasSubstr("against"));
    EXPECT_FALSE(advice.config.empty());
}

TEST(Advise, json_carries_facts_findings_verdict_and_commands) {
    const auto json = to_json(advise_on(impersonal_dataset()));

    EXPECT_EQ(json.at("verdict"), "popularity_is_enough");
    EXPECT_EQ(json.at("facts").at("events"), 3200);
    EXPECT_FALSE(json.at("next").empty());
    EXPECT_EQ(json.at("check").at("protocol"), "leave-one-out");
}

TEST(DatasetFacts, count_repeats_newcomers_and_text) {
    data::Dataset dataset;
    dataset.name = "tiny";
    dataset.event_types = {{.name = "click"}};
    dataset.time_kind = data::TimeKind::real;
    for (const auto* item : {"a", "b", "c"}) {
        dataset.items.intern(item);
    }
    std::vector<data::Interaction> events;
    for (std::uint32_t i = 0; i < 8; ++i) {  // the first user has a and b, again and again
        events.push_back({.user = {0}, .item = {i % 2}, .time = static_cast<TimeMs>(i)});
    }
    events.push_back({.user = {1}, .item = {0}, .time = 8});  // the last fifth: a new user,
    events.push_back({.user = {1}, .item = {2}, .time = 9});  // a new item
    dataset.users.intern("u");
    dataset.users.intern("v");
    dataset.log = data::InteractionLog::from_events(events, 2, 3);
    data::Field title;
    title.name = "title";
    title.kind = data::FieldKind::text;
    title.present = {1, 1, 0};
    title.texts = {"two words", "three words here", ""};
    dataset.item_fields = data::Catalogue{3, {title}};

    const auto facts = describe_dataset(dataset);

    EXPECT_DOUBLE_EQ(facts.repeat_share, 0.6);
    EXPECT_DOUBLE_EQ(facts.new_user_share.value(), 1.0);
    EXPECT_DOUBLE_EQ(facts.new_item_share.value(), 0.5);
    EXPECT_DOUBLE_EQ(facts.text_coverage, 2.0 / 3);
    EXPECT_DOUBLE_EQ(facts.mean_words, 2.5);
    EXPECT_DOUBLE_EQ(facts.density, 4.0 / 6);
}

}  // namespace
}  // namespace hg::app
