// SPDX-License-Identifier: Apache-2.0
// The rating task leaks nothing: what a test user answers later, and what anybody says of new
// items, changes no input, no offset and no training task.
#include "app/rating_protocol.hpp"

#include "app/rating_evaluation.hpp"
#include "core/error.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

namespace hg::app {
namespace {

using policy::TaskEvents;

constexpr std::size_t n_users = 60;
constexpr std::size_t n_items = 50;
constexpr std::size_t n_ratings = 30;  // a user

using Change = std::function<float(std::uint32_t user, std::uint32_t item, std::size_t position)>;

/// Users with biases rate items with means; `change` is added to each rating.
data::Dataset make_dataset(const Change& change = {}) {
    Rng rng{1};
    data::Dataset dataset;
    dataset.name = "stars";
    dataset.event_types = {{.name = "rating"}};
    std::vector<double> means;
    for (std::size_t i = 0; i < n_items; ++i) {
        dataset.items.intern(fmt::format("i{}", i));
        means.push_back(0.5 * rng.normal());
    }
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        dataset.users.intern(fmt::format("u{}", u));
        const double bias = 0.7 * rng.normal();
        std::vector<std::uint32_t> order(n_items);
        for (std::uint32_t i = 0; i < n_items; ++i) {
            order[i] = i;
        }
        rng.shuffle(std::span{order});
        for (std::size_t n = 0; n < n_ratings; ++n) {
            const auto value = static_cast<float>(3 + means[order[n]] + bias + 0.5 * rng.normal());
            events.push_back({
                .user = UserId{u},
                .item = ItemId{order[n]},
                .value = value + (change ? change(u, order[n], n) : 0.0F),
                .time = static_cast<TimeMs>(n),
            });
        }
    }
    dataset.log = data::InteractionLog::from_events(std::move(events), n_users, n_items);
    dataset.item_fields = data::Catalogue{n_items, {}};
    dataset.user_fields = data::Catalogue{n_users, {}};
    return dataset;
}

const RatingProtocol protocol{
    .folds = 3, .contexts = {1, 5}, .items = {.factors = 2, .iterations = 5}
};

RatingTrial trial_of(const data::Dataset& dataset, std::size_t fold = 0) {
    const Matrix<float> content(n_items, 0);
    return make_rating_trial(dataset, content.view(), protocol, fold);
}

void expect_same(const TaskEvents& a, const TaskEvents& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a.view().offsets[i], b.view().offsets[i]);
        EXPECT_EQ(a.view().targets[i], b.view().targets[i]);
        EXPECT_TRUE(std::ranges::equal(a.view().inputs.row(i), b.view().inputs.row(i)));
        EXPECT_EQ(a.use(i), b.use(i));
    }
}

void expect_same_tasks(const RatingTrial& a, const RatingTrial& b) {
    ASSERT_EQ(a.tasks.size(), b.tasks.size());
    for (std::size_t t = 0; t < a.tasks.size(); ++t) {
        expect_same(a.tasks[t], b.tasks[t]);
    }
}

TEST(RatingProtocol, folds_share_no_test_user_and_leave_nobody_out) {
    const auto dataset = make_dataset();
    std::map<std::uint32_t, int> asked;
    for (std::size_t fold = 0; fold < protocol.folds; ++fold) {
        const auto trial = trial_of(dataset, fold);
        for (const auto& user : trial.users) {
            ++asked[user.user.value];
        }
        EXPECT_EQ(trial.n_too_short, 0U);
    }

    EXPECT_EQ(asked.size(), n_users);
    for (const auto& [user, times] : asked) {
        EXPECT_EQ(times, 1) << user;
    }
}

TEST(RatingProtocol, ratings_of_test_users_reach_no_task_and_no_item) {
    const auto plain = trial_of(make_dataset());
    std::set<std::uint32_t> asked;
    for (const auto& user : plain.users) {
        asked.insert(user.user.value);
    }

    const auto changed = trial_of(make_dataset([&](std::uint32_t user, std::uint32_t, std::size_t) {
        return asked.contains(user) ? 100.0F : 0.0F;
    }));

    expect_same_tasks(plain, changed);
    ASSERT_EQ(plain.users.size(), changed.users.size());
    for (std::size_t u = 0; u < plain.users.size(); ++u) {
        const auto& a = plain.users[u].old_items;
        const auto& b = changed.users[u].old_items;
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_EQ(a.view().offsets[i], b.view().offsets[i]);
            EXPECT_NEAR(a.view().targets[i] + 100, b.view().targets[i], 1e-4);
        }
    }
}

TEST(RatingProtocol, ratings_of_new_items_are_only_asked) {
    // Which items are new: those whose targets move when an item's ratings do, without any task.
    const auto plain = trial_of(make_dataset());
    std::size_t n_new = 0;
    for (std::uint32_t item = 0; item < n_items; ++item) {
        const auto changed =
            trial_of(make_dataset([item](std::uint32_t, std::uint32_t rated, std::size_t) {
                return rated == item ? 50.0F : 0.0F;
            }));
        if (changed.highest > 20) {
            continue;  // an old item: it is in the training ratings
        }
        ++n_new;
        expect_same_tasks(plain, changed);
        for (std::size_t u = 0; u < plain.users.size(); ++u) {
            expect_same(plain.users[u].support, changed.users[u].support);
            expect_same(plain.users[u].old_items, changed.users[u].old_items);
        }
    }
    EXPECT_GT(n_new, 2U);
    EXPECT_LT(n_new, 20U);
}

TEST(RatingProtocol, a_users_own_ratings_are_not_in_the_offsets_of_the_own_task) {
    // The last fold's training users: one of them rates everything 30 higher.
    const auto plain = trial_of(make_dataset());
    const auto asked = [&](std::uint32_t user) {
        return std::ranges::any_of(plain.users, [user](const RatingUser& u) {
            return u.user.value == user;
        });
    };
    for (std::uint32_t user = 0; user < 12; ++user) {
        if (asked(user)) {
            continue;
        }
        const auto changed =
            trial_of(make_dataset([user](std::uint32_t rater, std::uint32_t, std::size_t) {
                return rater == user ? 30.0F : 0.0F;
            }));
        for (std::size_t t = 0; t < plain.tasks.size(); ++t) {
            const auto a = plain.tasks[t].view();
            const auto b = changed.tasks[t].view();
            if (std::abs(b.targets[0] - a.targets[0]) > 20) {  // that user's task
                EXPECT_TRUE(std::ranges::equal(a.offsets, b.offsets));
            }
        }
    }
}

TEST(RatingProtocol, data_without_values_are_refused_in_one_sentence) {
    auto dataset = make_dataset([](std::uint32_t, std::uint32_t, std::size_t) {
        return std::numeric_limits<float>::quiet_NaN();
    });

    EXPECT_THROW((void)trial_of(dataset), Error);
}

TEST(RatingEvaluation, the_user_bias_is_found_and_differences_are_paired) {
    const auto dataset = make_dataset();
    const Matrix<float> content(n_items, 0);
    std::vector<RatingContender> rows;
    for (const auto* name : {"item_mean", "item_bias", "hierarchical_gaussian"}) {
        rows.push_back({.entry = &policy::find_meta_learner(name), .settings = {}});
    }
    SilentProgress progress;

    const auto evaluation = evaluate_ratings(
        dataset, content.view(), protocol, rows, "item_bias", RatingTasks::users, {progress, {}}
    );

    ASSERT_EQ(evaluation.rows.size(), 3U);
    EXPECT_EQ(evaluation.n_users[0], n_users);
    const auto& mean = evaluation.rows[0].cells[0].back();
    const auto& bias = evaluation.rows[1].cells[0].back();
    // Noise .5 alone is a MAE of .40; the bias of .7 unknown makes it .69.
    EXPECT_GT(mean.mae, 0.55);
    EXPECT_LT(bias.mae, 0.52);
    EXPECT_NEAR(mean.mae_difference.mean, mean.mae - bias.mae, 1e-9);
    EXPECT_EQ(bias.mae_difference.mean, 0);
    EXPECT_GT(mean.mae_difference.bootstrap.low, 0);
    const auto json = to_json(evaluation);
    EXPECT_EQ(json["rows"][0]["cells"].size(), 4U);
    EXPECT_NE(to_text(evaluation).find("new items"), std::string::npos);
}

}  // namespace
}  // namespace hg::app
