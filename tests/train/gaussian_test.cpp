// SPDX-License-Identifier: Apache-2.0
#include "train/fit_gaussian_prior.hpp"
#include "train/truncated_svd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::train {
namespace {

/// Two tastes: even users like even items, odd users odd ones; each misses one item of its taste.
data::InteractionLog two_tastes(std::uint32_t n_users = 40, std::uint32_t n_items = 12) {
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        for (std::uint32_t i = u % 2; i < n_items; i += 2) {
            if (i / 2 != (u / 2) % (n_items / 2)) {
                events.push_back({.user = UserId{u}, .item = ItemId{i}});
            }
        }
    }
    return data::InteractionLog::from_events(std::move(events), n_users, n_items);
}

TEST(TruncatedSvd, finds_the_singular_values_of_a_known_matrix) {
    // X = identity with one full row: worked out by numpy: X = [[1,1],[1,0]] has 1.618 and 0.618.
    const auto log = data::InteractionLog::from_events(
        {{.user = UserId{0}, .item = ItemId{0}},
         {.user = UserId{0}, .item = ItemId{1}},
         {.user = UserId{1}, .item = ItemId{0}}},
        2,
        2
    );
    SilentProgress progress;

    const auto svd = truncated_svd(log, {.rank = 2}, Rng{1}, progress, {});

    EXPECT_NEAR(svd.singular[0], 1.6180340, 1e-4);
    EXPECT_NEAR(svd.singular[1], 0.6180340, 1e-4);
    EXPECT_NEAR(std::abs(svd.right(0, 0)), 0.8506508, 1e-4);
}

TEST(Gaussian, after_one_click_items_of_the_same_taste_come_first) {
    const data::Dataset dataset;
    const auto log = two_tastes();
    SilentProgress progress;
    const FitContext context{
        .dataset = dataset,
        .log = log,
        .content = nullptr,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };

    const auto prior = fit_gaussian_prior(context, {.dim = 4});

    auto belief = prior.start();
    prior.observe(belief, 3, 1.0F);
    std::vector<float> scores(12);
    prior.score(belief, scores);
    for (std::size_t even = 0; even < 12; even += 2) {
        EXPECT_LT(scores[even], scores[1]);
        EXPECT_LT(scores[even], scores[5]);
    }
}

TEST(Gaussian, an_empty_log_is_refused_with_the_next_step) {
    const data::Dataset dataset;
    const auto log = data::InteractionLog::from_events(
        {{.user = UserId{0}, .item = ItemId{0}, .weight = -1}}, 1, 1
    );
    SilentProgress progress;
    const FitContext context{
        .dataset = dataset,
        .log = log,
        .content = nullptr,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };

    EXPECT_THROW((void)fit_gaussian_prior(context, {}), Error);
}

}  // namespace
}  // namespace hg::train
