// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/feedback_from_dataset.hpp"
#include "simulate/learned/feedback_from_log.hpp"
#include "simulate/learned/hazard.hpp"
#include "simulate/learned/history_profile.hpp"
#include "simulate/world_entry.hpp"
#include "simulate_learned/closed_loop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::simulate {
namespace {

TEST(FeedbackFromLog, sessions_end_where_the_user_left_or_the_record_stops) {
    Settings settings;
    settings.set("discount", "0.5");
    const auto world = make_world("slate_mdp", settings);
    const auto log = random_log(*world, 100);

    const auto table = feedback_from_log(log, "a.jsonl", {});

    ASSERT_EQ(table.n_decisions(), 100U);
    std::size_t n_left = 0;
    for (std::size_t s = 0; s < table.n_sequences(); ++s) {
        for (const auto d : table.decisions(s)) {
            EXPECT_EQ(table.session_step[d], d - table.sequence_offsets[s]);
            const bool is_last = d + 1 == table.sequence_offsets[s + 1];
            EXPECT_EQ(table.leaving[d] == Leaving::stays, !is_last);
            n_left += table.leaving[d] == Leaving::leaves ? 1 : 0;
        }
    }
    EXPECT_GE(n_left + 1, table.n_sequences());
    EXPECT_TRUE(table.facts.has_sessions);
    EXPECT_TRUE(table.facts.has_propensities);
}

TEST(FeedbackFromLog, fresh_candidates_keep_the_number_of_their_kind) {
    const auto world = make_world("bernoulli_bandit");
    auto log = random_log(*world, 50);
    data::IdMap renamed;  // the candidates of each place are of kind place / 2
    for (std::uint32_t c = 0; c < log.items.size(); ++c) {
        const auto place = std::stoul(log.items.names()[c]);
        (void)renamed.intern(fmt::format("{}:{}", place, place / 2));
    }
    log.items = renamed;

    const auto table = feedback_from_log(log, "a.jsonl", {});

    EXPECT_TRUE(table.facts.has_fresh_items);
    for (std::size_t row = 0; row < table.item_rows.rows(); ++row) {
        const auto features = table.item_rows.row(row);  // one-hot of the place
        const auto place = std::ranges::max_element(features) - features.begin();
        EXPECT_EQ(table.item_ids[row], place / 2);
    }
}

TEST(FeedbackFromLog, exposure_weights_are_one_under_a_uniform_policy) {
    const auto world = make_world("bernoulli_bandit");
    const auto table = feedback_from_log(random_log(*world, 50), "a.jsonl", {});

    for (const float w : table.weight) {
        EXPECT_NEAR(w, 1, 1e-6);
    }
}

TEST(FeedbackFromLog, rare_slates_weigh_more_up_to_the_clip) {
    const auto world = make_world("bernoulli_bandit");
    auto log = random_log(*world, 50);
    log.propensity.assign(50, 0.5);
    log.propensity[0] = 1e-6;

    const auto table = feedback_from_log(log, "a.jsonl", {.exposure_clip = 3});

    EXPECT_NEAR(table.weight[0], 3, 1e-6);
    EXPECT_LT(table.weight[1], 0.01);
}

data::Dataset small_dataset(data::TimeKind kind) {
    data::Dataset data;
    data.name = "small";
    data.time_kind = kind;
    data.event_types = {{"click", 1}};
    std::vector<data::Interaction> events;
    constexpr std::int64_t minute = 60'000;
    for (std::uint32_t u = 0; u < 12; ++u) {
        (void)data.users.intern(fmt::format("u{}", u));
        std::int64_t time = 1'600'000'000'000;
        for (std::uint32_t i = 0; i < 6; ++i) {
            time += i == 3 ? 120 * minute : minute;  // a pause of two hours after three events
            events.push_back({.user = {u}, .item = {(u + i) % 20}, .value = 4, .time = time});
        }
    }
    for (std::uint32_t i = 0; i < 20; ++i) {
        (void)data.items.intern(fmt::format("i{}", i));
    }
    data.log = data::InteractionLog::from_events(std::move(events), 12, 20);
    return data;
}

FeedbackTable table_of(const data::Dataset& data) {
    SilentProgress silent;
    WorldFitOptions options;
    options.dim = 4;
    return feedback_from_dataset(data, options, 7, silent, {});
}

TEST(FeedbackFromDataset, long_pauses_end_sessions_where_time_is_real) {
    const auto table = table_of(small_dataset(data::TimeKind::real));

    ASSERT_EQ(table.n_decisions(), 72U);
    EXPECT_EQ(table.leaving[2], Leaving::leaves);
    EXPECT_NEAR(table.gap_hours[2], 2, 1e-6);
    EXPECT_EQ(table.session_step[3], 0U);
    EXPECT_EQ(table.leaving[5], Leaving::unknown);
}

TEST(FeedbackFromDataset, without_real_time_nobody_is_seen_leaving) {
    const auto table = table_of(small_dataset(data::TimeKind::order));

    EXPECT_FALSE(table.facts.has_sessions);
    for (const auto leaving : table.leaving) {
        EXPECT_NE(leaving, Leaving::leaves);
    }
}

data::Dataset dataset_of(const data::Dataset& like, std::vector<data::Interaction> events) {
    auto data = like;
    data.log =
        data::InteractionLog::from_events(std::move(events), like.users.size(), like.items.size());
    return data;
}

std::vector<data::Interaction> events_of(const data::Dataset& data) {
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < data.log.n_users(); ++u) {
        const auto history = data.log.history({u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            events.push_back({.user = {u}, .item = history.items[i], .time = history.times[i]});
        }
    }
    return events;
}

TEST(FeedbackFromDataset, a_session_id_ends_sessions_and_a_pause_only_where_there_is_none) {
    const auto plain = small_dataset(data::TimeKind::real);  // pauses after the third event
    auto events = events_of(plain);
    for (std::size_t e = 0; e < events.size(); ++e) {
        const auto i = e % 6;
        if (events[e].user.value == 0) {
            continue;  // nothing recorded of this user's visits
        }
        events[e].session = static_cast<std::uint32_t>(10 * (e / 6) + (i < 5 ? 1 : 2));
    }
    const auto table = table_of(dataset_of(plain, events));

    EXPECT_EQ(table.leaving[2], Leaving::leaves) << "the pause of a user without ids";
    EXPECT_EQ(table.leaving[4], Leaving::stays);
    EXPECT_EQ(table.leaving[6 + 2], Leaving::stays) << "a pause within a visit";
    EXPECT_EQ(table.leaving[6 + 4], Leaving::leaves) << "another id a minute later";
    EXPECT_NEAR(table.gap_hours[6 + 4], 1.0 / 60, 1e-6);
    EXPECT_EQ(table.session_step[6 + 5], 0U);
    EXPECT_THAT(table.facts.session_rule, ::testing::StartsWith("another session_id"));
}

TEST(FeedbackFromDataset, session_ids_do_without_real_time) {
    const auto plain = small_dataset(data::TimeKind::order);
    auto events = events_of(plain);
    for (std::size_t e = 0; e < events.size(); ++e) {
        events[e].session = static_cast<std::uint32_t>(e / 2);
    }
    const auto table = table_of(dataset_of(plain, events));

    EXPECT_TRUE(table.facts.has_sessions);
    EXPECT_FALSE(table.facts.has_gaps);
    EXPECT_EQ(table.leaving[1], Leaving::leaves);
    EXPECT_TRUE(std::isnan(table.gap_hours[1]));
    EXPECT_EQ(table.facts.session_rule, "another session_id");
}

TEST(FeedbackFromDataset, purchases_are_told_from_clicks_only_where_there_are_both) {
    auto plain = small_dataset(data::TimeKind::order);
    plain.event_types.push_back({.name = "purchase", .weight = 3, .is_purchase = true});
    auto events = events_of(plain);
    EXPECT_FALSE(table_of(dataset_of(plain, events)).facts.has_purchases);
    for (std::size_t e = 0; e < events.size(); e += 3) {
        events[e].type = EventTypeId{1};
        events[e].weight = 3;
    }

    const auto table = table_of(dataset_of(plain, events));

    EXPECT_TRUE(table.facts.has_purchases);
    EXPECT_DOUBLE_EQ(table.facts.click_weight, 1);
    EXPECT_DOUBLE_EQ(table.facts.purchase_weight, 3);
    for (std::size_t d = 0; d < table.n_decisions(); ++d) {
        EXPECT_EQ(table.slots_of(d).front().purchased, d % 3 == 0);
        EXPECT_FALSE(table.slots_of(d).back().purchased);
    }
}

TEST(FeedbackFromLog, purchases_are_told_of_every_click_or_of_none) {
    const auto world = make_world("bernoulli_bandit");
    auto log = random_log(*world, 50);
    EXPECT_FALSE(feedback_from_log(log, "a.jsonl", {}).facts.has_purchases);
    bool is_odd = false;
    for (std::size_t i = 0; i < log.slot.clicked.size(); ++i) {
        is_odd = log.slot.clicked[i] == 1 ? !is_odd : is_odd;
        log.slot.purchased[i] = log.slot.clicked[i] == 1 && is_odd ? 1 : 0;
    }
    EXPECT_TRUE(feedback_from_log(log, "a.jsonl", {}).facts.has_purchases);
    log.slot.purchased[std::ranges::find(log.slot.clicked, 1) - log.slot.clicked.begin()] = -1;
    try {
        (void)feedback_from_log(log, "a.jsonl", {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("do not say whether they were purchases"));
    }
}

TEST(FeedbackFromDataset, negatives_are_items_the_user_never_had) {
    const auto table = table_of(small_dataset(data::TimeKind::order));

    for (std::size_t s = 0; s < table.n_sequences(); ++s) {
        std::vector<std::uint32_t> had;
        for (const auto d : table.decisions(s)) {
            had.push_back(table.slots_of(d).front().item);
        }
        for (const auto d : table.decisions(s)) {
            ASSERT_EQ(table.slots_of(d).size(), 5U);
            for (const auto& slot : table.slots_of(d).subspan(1)) {
                EXPECT_THAT(had, ::testing::Not(::testing::Contains(slot.item)));
            }
        }
    }
}

TEST(FeedbackFromDataset, a_dataset_without_events_is_refused) {
    data::Dataset empty;
    empty.name = "empty";
    SilentProgress silent;
    try {
        (void)feedback_from_dataset(empty, {}, 7, silent, {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), ::testing::HasSubstr("dataset empty has no events"));
    }
}

TEST(HistoryProfile, is_restored_from_its_numbers) {
    HistoryProfile profile{2, 0.9};
    profile.add(std::array{1.0F, 0.0F}, 1);
    profile.add(std::array{0.0F, 1.0F}, unknown_value);
    std::array<float, 4> numbers{};
    profile.write(numbers);
    HistoryProfile other{2, 0.9};
    other.restore(numbers);
    profile.add(std::array{1.0F, 1.0F}, 2);
    other.add(std::array{1.0F, 1.0F}, 2);

    std::array<float, 4> a{};
    std::array<float, 4> b{};
    profile.write(a);
    other.write(b);

    EXPECT_THAT(a, ::testing::Pointwise(::testing::FloatNear(1e-5F), b));
    EXPECT_NEAR(numbers[0], 0.9 / 1.9, 1e-6);  // the older of two events
}

TEST(Hazard, finds_a_threshold_in_what_was_consumed) {
    // Everybody leaves once the counter passes 50 of 0 .. 60, nobody before.
    Rng rng{3};
    const auto draw = [&](std::size_t n_sessions) {
        HazardRows rows;
        std::vector<float> values;
        for (std::size_t s = 0; s < n_sessions; ++s) {
            const auto end = 48 + rng.below(5);
            for (std::size_t t = 0; t <= end; ++t) {
                values.push_back(static_cast<float>(t));
                values.push_back(static_cast<float>(rng.normal()));
                rows.left.push_back(t == end ? 1 : 0);
            }
        }
        rows.inputs = Matrix<float>(rows.left.size(), 2, std::move(values));
        return rows;
    };
    const auto train = draw(100);
    const auto unseen = draw(20);

    const auto hazard = fit_hazard(train, unseen);

    const auto chance = [&](float t) {
        return 1 / (1 + std::exp(-(hazard.bias + hazard.weights[0] * t)));
    };
    EXPECT_LT(chance(25), 1e-3);
    EXPECT_GT(chance(53), 0.5);
    EXPECT_LT(std::abs(hazard.weights[1]), std::abs(hazard.weights[0]));
}

}  // namespace
}  // namespace hg::simulate
