// SPDX-License-Identifier: Apache-2.0
// What is known of items before a user rates, on ratings whose truth is known.
#include "policy/meta/rating_items.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hg::policy {
namespace {

constexpr std::size_t n_users = 300;
constexpr std::size_t n_items = 60;
constexpr std::size_t n_rated = 40;  // the other items are new

/// r = 3 + effect + bias + taste_u trait_i + noise; content says the effect and the trait's sign.
struct World {
    std::vector<Rating> ratings;
    Matrix<float> content{n_items, 2};
    std::vector<double> effects;
    std::vector<double> traits;
};

World make_world(std::uint64_t seed) {
    Rng rng{seed};
    World world;
    for (std::size_t i = 0; i < n_items; ++i) {
        world.traits.push_back(i % 2 == 0 ? 1 : -1);
        world.content(i, 0) = static_cast<float>(rng.normal());
        world.content(i, 1) = static_cast<float>(world.traits.back());
        world.effects.push_back(0.5 * static_cast<double>(world.content(i, 0)));
    }
    for (std::uint32_t u = 0; u < n_users; ++u) {
        const double bias = 0.5 * rng.normal();
        const double taste = 0.8 * rng.normal();
        for (std::uint32_t i = 0; i < n_rated; ++i) {
            if (rng.uniform() < 0.5) {
                const double value =
                    3 + world.effects[i] + bias + taste * world.traits[i] + 0.5 * rng.normal();
                world.ratings.push_back({.user = u, .item = i, .value = static_cast<float>(value)});
            }
        }
    }
    return world;
}

const RatingItemOptions options{
    .factors = 1, .iterations = 30, .content_inputs = 2, .content_ridge = 1
};

double correlation(const RatingItems& items, const World& world, std::size_t from, std::size_t to) {
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (std::size_t i = from; i < to; ++i) {
        const double x = items.inputs(i, 0);
        xy += x * world.traits[i];
        xx += x * x;
        yy += 1;
    }
    return xy / std::sqrt(xx * yy);
}

TEST(RatingItems, offsets_are_the_items_effects_and_new_items_get_theirs_from_content) {
    const auto world = make_world(1);

    const auto items = describe_rating_items(world.ratings, world.content.view(), options, Rng{2});

    double mean = 0;
    for (std::size_t i = 0; i < n_items; ++i) {
        mean += (items.offsets[i] - world.effects[i]) / static_cast<double>(n_items);
    }
    EXPECT_NEAR(mean, 3, 0.2);  // 300 biases of .5: standard error .03
    for (std::size_t i = 0; i < n_items; ++i) {
        // 150 ratings of deviation 1.07 about it: standard error .09; five of them.
        EXPECT_NEAR(items.offsets[i] - mean, world.effects[i], 0.45) << i;
    }
    EXPECT_EQ(items.n_ratings[n_rated], 0);
    EXPECT_EQ(items.inputs(n_rated, items.inputs.cols() - 1), 0);  // how well it is known
    EXPECT_GT(items.inputs(0, items.inputs.cols() - 1), 0.9);
}

TEST(RatingItems, the_factor_is_the_trait_that_users_differ_on) {
    const auto world = make_world(3);

    const auto items = describe_rating_items(world.ratings, world.content.view(), options, Rng{4});

    EXPECT_GT(std::abs(correlation(items, world, 0, n_rated)), 0.98);
    EXPECT_GT(std::abs(correlation(items, world, n_rated, n_items)), 0.98);  // from content
}

TEST(RatingItems, factors_of_noise_stay_near_nothing) {
    World world = make_world(5);
    Rng rng{6};
    for (auto& r : world.ratings) {
        r.value = static_cast<float>(3 + 0.5 * rng.normal());
    }
    Matrix<float> none(n_items, 0);

    const auto factors =
        fit_rating_factors(world.ratings, none.view(), {.n_factors = 2, .iterations = 60}, Rng{7});

    // Prior variance 1: where the ratings say nothing the vectors explain next to nothing of them.
    double squares = 0;
    for (const float value : factors.values()) {
        squares += static_cast<double>(value) * static_cast<double>(value);
    }
    EXPECT_LT(squares / static_cast<double>(factors.values().size()), 0.8);
}

TEST(RatingItems, aligned_factors_lie_on_the_reference) {
    const auto world = make_world(8);
    const RatingItemOptions two{.factors = 2, .iterations = 30, .content_inputs = 2};
    const auto reference = describe_rating_items(world.ratings, world.content.view(), two, Rng{9});
    auto turned = reference;
    for (std::size_t i = 0; i < n_items; ++i) {
        const float x = reference.inputs(i, 0);
        const float y = reference.inputs(i, 1);
        turned.inputs(i, 0) = 0.6F * x - 0.8F * y;
        turned.inputs(i, 1) = -0.8F * x - 0.6F * y;
    }

    align_factors(turned, reference, 2);

    for (std::size_t i = 0; i < n_items; ++i) {
        EXPECT_NEAR(turned.inputs(i, 0), reference.inputs(i, 0), 1e-3);
        EXPECT_NEAR(turned.inputs(i, 1), reference.inputs(i, 1), 1e-3);
    }
}

}  // namespace
}  // namespace hg::policy
