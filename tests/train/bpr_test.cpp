// SPDX-License-Identifier: Apache-2.0
// bpr: it ranks what was liked above what was not, also for users it never saw.
#include "core/options.hpp"
#include "support/fit_model.hpp"
#include "support/small_world.hpp"
#include "train/model_entry.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <unordered_set>

namespace hg::train {
namespace {

using testing_support::fit_model;
using testing_support::small_world;

/// How often an item of the history is above one that is not: what BPR maximises, .5 by chance.
double share_in_order(const Recommender& model, const data::History& history) {
    Matrix<float> scores(1, model.n_items());
    model.score({&history, 1}, scores.view());
    std::unordered_set<std::size_t> liked;
    for (const auto item : history.items) {
        liked.insert(item.index());
    }
    double in_order = 0;
    double pairs = 0;
    for (const auto i : liked) {
        for (std::size_t j = 0; j < model.n_items(); ++j) {
            if (!liked.contains(j)) {
                in_order += scores(0, i) > scores(0, j) ? 1 : 0;
                ++pairs;
            }
        }
    }
    return in_order / pairs;
}

TEST(Bpr, strangers_are_ranked_as_well_as_those_it_learned_from) {
    constexpr std::uint32_t n_users = 200;
    const auto world = small_world({.n_users = n_users, .n_items = 60, .events_per_user = 8});
    const auto known = world.dataset.log.filter([](UserId user, std::size_t) {
        return user.index() < n_users / 2;
    });
    const auto model = fit_model("bpr", world.dataset, known);
    const auto mean_over = [&](std::uint32_t first) {
        double sum = 0;
        for (std::uint32_t u = first; u < first + 100; ++u) {
            sum += share_in_order(*model, world.dataset.log.history(UserId{u}));
        }
        return sum / 100;
    };

    EXPECT_GT(mean_over(0), 0.9);
    EXPECT_NEAR(mean_over(0), mean_over(100), 0.03);
}

TEST(Bpr, a_log_without_anything_liked_gives_finite_scores) {
    auto world = small_world({.n_users = 4, .n_items = 6, .events_per_user = 2});
    const auto model = fit_model(
        "bpr", world.dataset, world.dataset.log.filter([](UserId, std::size_t) { return false; })
    );
    Matrix<float> scores(1, 6);
    const auto history = world.dataset.log.history(UserId{0});

    model->score({&history, 1}, scores.view());

    for (const float score : scores.values()) {
        EXPECT_TRUE(std::isfinite(score));
    }
}

TEST(Bpr, who_has_liked_everything_is_answered) {
    const auto world = small_world({.n_users = 20, .n_items = 6, .events_per_user = 6});
    const auto model = fit_model("bpr", world.dataset, world.dataset.log);
    data::HistoryBuffer everything;
    for (std::uint32_t item = 0; item < 6; ++item) {
        everything.add(ItemId{item});
    }
    const auto history = everything.view();
    Matrix<float> scores(1, 6);

    model->score({&history, 1}, scores.view());

    for (const float score : scores.values()) {
        EXPECT_TRUE(std::isfinite(score));
    }
}

TEST(Bpr, diverging_is_told_with_the_next_step) {
    const auto world = small_world({.n_users = 20, .n_items = 12, .events_per_user = 4});
    Settings settings;
    settings.set_assignment("learning_rate=10");
    settings.set_assignment("regularization=10");

    EXPECT_THROW((void)fit_model("bpr", world.dataset, world.dataset.log, settings), Error);
}

}  // namespace
}  // namespace hg::train
