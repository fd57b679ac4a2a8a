// SPDX-License-Identifier: Apache-2.0
#include "data/split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace hg::data {
namespace {

using ::testing::ElementsAre;

/// Every event has a time of its own position, so that one can be told from another.
InteractionLog random_log(bool with_negatives) {
    const auto n_users = *rc::gen::inRange<std::uint32_t>(1, 12);
    const auto n_items = *rc::gen::inRange<std::uint32_t>(1, 15);
    const auto n_events = *rc::gen::inRange<std::size_t>(2, 120);
    std::vector<Interaction> events;
    for (std::size_t i = 0; i < n_events; ++i) {
        Interaction event;
        event.user = UserId{*rc::gen::inRange<std::uint32_t>(0, n_users)};
        event.item = ItemId{*rc::gen::inRange<std::uint32_t>(0, n_items)};
        event.weight = with_negatives && *rc::gen::inRange(0, 4) == 0 ? -1.0F : 1.0F;
        event.time = static_cast<TimeMs>(i);
        events.push_back(event);
    }
    return InteractionLog::from_events(events, n_users, n_items);
}

using EventKey = std::tuple<std::uint32_t, TimeMs, std::uint32_t>;

std::set<EventKey> events_of(const InteractionLog& log) {
    std::set<EventKey> keys;
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            keys.emplace(u, history.times[i], history.items[i].value);
        }
    }
    return keys;
}

bool contains(const std::set<EventKey>& all, const std::set<EventKey>& part) {
    return std::ranges::includes(all, part);
}

/// Held-out events of the user (not in `known`) that are positive and whose item is a target.
bool targets_are_held_out(
    const Split& split, const EvaluationCase& question, const InteractionLog& known
) {
    const auto keys = events_of(known);
    const auto history = split.log.history(question.user);
    return std::ranges::all_of(question.targets, [&](ItemId target) {
        for (std::size_t i = 0; i < history.size(); ++i) {
            const EventKey key{question.user.value, history.times[i], history.items[i].value};
            if (history.items[i] == target && history.weight(i) > 0 && !keys.contains(key)) {
                return true;
            }
        }
        return false;
    });
}

void check_common(const Split& split) {
    const auto train = events_of(split.train);
    const auto full = events_of(split.train_full);
    RC_ASSERT(contains(events_of(split.log), full));
    RC_ASSERT(contains(full, train));
    RC_ASSERT(split.train.n_items() == split.log.n_items());
    RC_ASSERT(split.train.n_users() == split.log.n_users());
    for (const auto& question : split.validation) {
        RC_ASSERT(!question.targets.empty());
        RC_ASSERT(targets_are_held_out(split, question, split.train));
    }
    for (const auto& question : split.test) {
        RC_ASSERT(!question.targets.empty());
        RC_ASSERT(targets_are_held_out(split, question, split.train_full));
    }
}

/// Every event a model could have seen is older than every event that could be a target.
void check_context_precedes_targets(const Split& split, const std::vector<EvaluationCase>& cases) {
    for (const auto& question : cases) {
        const auto history = split.log.history(question.user);
        const auto n = question.context.size();
        RC_ASSERT(n <= history.size());
        for (const auto target : question.targets) {
            const auto behind = history.items.subspan(n);
            RC_ASSERT(std::ranges::find(behind, target) != behind.end());
        }
        // Not inside RC_ASSERT, whose || evaluates both sides.
        const bool ends_where_it_should =
            n == 0 || question.context.times.back() == history.times[n - 1];
        RC_ASSERT(ends_where_it_should);
    }
}

std::vector<std::vector<std::uint32_t>> fingerprint(const Split& split) {
    std::vector<std::vector<std::uint32_t>> all;
    for (const auto* cases : {&split.validation, &split.test}) {
        for (const auto& question : *cases) {
            all.push_back({question.user.value});
            for (const auto target : question.targets) {
                all.back().push_back(target.value);
            }
        }
    }
    return all;
}

InteractionLog log_of(
    std::vector<std::vector<std::uint32_t>> items_of_users, std::size_t n_items = 10
) {
    std::vector<Interaction> events;
    for (std::uint32_t u = 0; u < items_of_users.size(); ++u) {
        for (const auto item : items_of_users[u]) {
            Interaction event;
            event.user = UserId{u};
            event.item = ItemId{item};
            events.push_back(event);
        }
    }
    return InteractionLog::from_events(events, items_of_users.size(), n_items);
}

TEST(LeaveOneOut, holds_out_the_last_event_and_validates_on_the_one_before) {
    const auto split = leave_one_out(log_of({{4, 5, 6, 7}, {1, 2}}));

    ASSERT_EQ(split.test.size(), 1U);
    EXPECT_THAT(split.test[0].targets, ElementsAre(ItemId{7}));
    EXPECT_THAT(split.test[0].context.items, ElementsAre(ItemId{4}, ItemId{5}, ItemId{6}));
    EXPECT_THAT(split.validation[0].targets, ElementsAre(ItemId{6}));
    EXPECT_THAT(split.train.history(UserId{0}).items, ElementsAre(ItemId{4}, ItemId{5}));
    EXPECT_THAT(
        split.train_full.history(UserId{0}).items, ElementsAre(ItemId{4}, ItemId{5}, ItemId{6})
    );
}

TEST(LeaveOneOut, users_with_two_events_stay_in_train) {
    const auto split = leave_one_out(log_of({{4, 5, 6, 7}, {1, 2}}));

    EXPECT_THAT(split.train.history(UserId{1}).items, ElementsAre(ItemId{1}, ItemId{2}));
}

TEST(LeaveOneOut, a_repeat_is_no_question_when_histories_are_masked) {
    const auto log = log_of({{4, 5, 4}});

    EXPECT_EQ(leave_one_out(log).test.size(), 1U);
    EXPECT_TRUE(leave_one_out(log, {.repeats = Repeats::drop}).test.empty());
}

TEST(TimeSplit, refuses_positions_and_missing_times) {
    const auto log = log_of({{1, 2, 3}});

    EXPECT_FALSE(time_split(log, TimeKind::order).has_value());
    EXPECT_FALSE(time_split(log, TimeKind::none).has_value());
    EXPECT_FALSE(time_split(log, TimeKind::real).has_value());
}

TEST(RatioSplit, refuses_shares_that_leave_nothing) {
    EXPECT_FALSE(ratio_split(log_of({{1, 2, 3}}), {.test = 0.9, .validation = 0.1}).has_value());
    EXPECT_FALSE(ratio_split(log_of({{1, 2, 3}}), {.test = -0.1}).has_value());
}

TEST(UserHoldOut, refuses_a_fold_that_does_not_exist) {
    EXPECT_FALSE(user_hold_out(log_of({{1, 2, 3}}), {.folds = 5, .fold = 5}).has_value());
}

TEST(UserHoldOut, takes_the_first_events_as_context_and_later_ones_as_targets) {
    const auto log = log_of({{1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}});

    const auto split = value_or_throw(user_hold_out(log, {.folds = 2, .context = 2, .targets = 2}));

    ASSERT_EQ(split.test.size(), 1U);
    const auto all = log.history(split.test[0].user).items;
    EXPECT_EQ(split.test[0].context.items[1], all[1]);
    EXPECT_THAT(split.test[0].targets, ElementsAre(all[2], all[3]));
}

RC_GTEST_PROP(SplitProperty, leave_one_out_leaks_nothing, ()) {
    const auto split = leave_one_out(random_log(*rc::gen::arbitrary<bool>()));

    check_common(split);
    check_context_precedes_targets(split, split.validation);
    check_context_precedes_targets(split, split.test);
    for (const auto& question : split.test) {
        RC_ASSERT(question.context.size() == split.train_full.history(question.user).size());
    }
}

RC_GTEST_PROP(SplitProperty, ratio_leaks_nothing_and_repeats_with_its_seed, ()) {
    const auto log = random_log(*rc::gen::arbitrary<bool>());
    const RatioOptions options{.seed = *rc::gen::arbitrary<std::uint64_t>()};

    const auto split = value_or_throw(ratio_split(log, options));

    check_common(split);
    RC_ASSERT(fingerprint(split) == fingerprint(value_or_throw(ratio_split(log, options))));
    for (const auto& question : split.test) {
        RC_ASSERT(question.context.size() == split.train_full.history(question.user).size());
        RC_ASSERT(!split.train.history(question.user).empty());
    }
}

RC_GTEST_PROP(SplitProperty, time_separates_all_users_at_one_moment, ()) {
    const auto log = random_log(*rc::gen::arbitrary<bool>());

    const auto split = value_or_throw(time_split(log, TimeKind::real));

    check_common(split);
    check_context_precedes_targets(split, split.validation);
    check_context_precedes_targets(split, split.test);
    const auto latest = [](const InteractionLog& part) {
        const auto times = part.columns().times;
        return times.empty() ? TimeMs{-1} : std::ranges::max(times);
    };
    const auto train_end = latest(split.train_full);
    for (const auto& question : split.test) {
        const auto behind = split.log.history(question.user).times.subspan(question.context.size());
        RC_ASSERT(behind.front() > train_end);
    }
}

RC_GTEST_PROP(SplitProperty, hold_out_never_trains_on_a_user_it_asks_about, ()) {
    const auto log = random_log(*rc::gen::arbitrary<bool>());
    HoldOutOptions options{
        .folds = 3, .context = 2, .validation = 0.3, .seed = *rc::gen::arbitrary<std::uint64_t>()
    };
    std::size_t held_out_events = 0;

    for (options.fold = 0; options.fold < options.folds; ++options.fold) {
        const auto split = value_or_throw(user_hold_out(log, options));
        check_common(split);
        check_context_precedes_targets(split, split.test);
        check_context_precedes_targets(split, split.validation);
        for (const auto& question : split.test) {
            RC_ASSERT(split.train_full.history(question.user).empty());
        }
        for (const auto& question : split.validation) {
            RC_ASSERT(split.train.history(question.user).empty());
        }
        held_out_events += log.size() - split.train_full.size();
        RC_ASSERT(fingerprint(split) == fingerprint(value_or_throw(user_hold_out(log, options))));
    }

    RC_ASSERT(held_out_events == log.size());
}

RC_GTEST_PROP(SplitProperty, dropped_repeats_are_never_in_the_context, ()) {
    const auto log = random_log(false);
    const auto splits = std::array{
        leave_one_out(log, {.repeats = Repeats::drop}),
        value_or_throw(ratio_split(log, {.repeats = Repeats::drop})),
        value_or_throw(time_split(log, TimeKind::real, {.repeats = Repeats::drop})),
        value_or_throw(user_hold_out(log, {.folds = 2, .context = 3, .repeats = Repeats::drop})),
    };

    for (const auto& split : splits) {
        for (const auto& question : split.test) {
            for (const auto target : question.targets) {
                RC_ASSERT(
                    std::ranges::find(question.context.items, target) ==
                    question.context.items.end()
                );
            }
        }
    }
}

}  // namespace
}  // namespace hg::data
