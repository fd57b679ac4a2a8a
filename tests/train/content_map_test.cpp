// SPDX-License-Identifier: Apache-2.0
// Content maps on worlds whose map is known.
#include "train/content_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::train {
namespace {

struct LinearWorld {
    encode::ItemVectors content;
    Matrix<float> vectors;  // [n, 2] = A c + b + noise
    std::vector<float> n_events;
};

/// v = (2 c0 - c1 + 1, c2) + (noise0, noise1) z.
LinearWorld linear_world(std::size_t n, float noise0, float noise1, std::uint64_t seed = 3) {
    LinearWorld world;
    Rng rng{seed};
    world.content.vectors = Matrix<float>(n, 4);
    world.content.present.assign(n, 1);
    world.vectors = Matrix<float>(n, 2);
    world.n_events.assign(n, 1e6F);
    for (std::size_t i = 0; i < n; ++i) {
        const auto c = world.content.vectors.row(i);
        for (auto& value : c) {
            value = static_cast<float>(rng.normal());
        }
        world.vectors(i, 0) = 2 * c[0] - c[1] + 1 + noise0 * static_cast<float>(rng.normal());
        world.vectors(i, 1) = c[2] + noise1 * static_cast<float>(rng.normal());
    }
    return world;
}

ContentMap fit(const LinearWorld& world, double penalty = 0) {
    return fit_content_map(
        {.content = world.content,
         .vectors = world.vectors.view(),
         .n_events = world.n_events,
         .penalty = penalty},
        Rng{1}
    );
}

TEST(ContentMap, finds_the_map_and_the_variance_that_content_does_not_tell) {
    const auto world = linear_world(2000, 0.1F, 0.5F);

    const auto map = fit(world);

    const auto place = map.place(std::vector<float>{1, 2, 3, 4});
    EXPECT_NEAR(place[0], 2 - 2 + 1, 0.05);
    EXPECT_NEAR(place[1], 3, 0.15);
    // n = 2000: the standard error of a variance is s2 sqrt(2 / n) = 3 %; four of them allowed.
    EXPECT_NEAR(map.variance[0], 0.01, 0.01 * 0.13);
    EXPECT_NEAR(map.variance[1], 0.25, 0.25 * 0.13);
    EXPECT_GT(map.explained, 0.9);
}

TEST(ContentMap, a_world_without_a_map_gets_a_strong_penalty_and_the_mean) {
    auto world = linear_world(200, 0, 0);
    Rng rng{9};
    world.content.vectors = Matrix<float>(200, 60);
    for (auto& value : world.content.vectors.values()) {
        value = static_cast<float>(rng.normal());
    }
    for (auto& value : world.vectors.values()) {
        value = 5 + static_cast<float>(rng.normal());
    }

    const auto map = fit(world);

    EXPECT_GE(map.penalty, 10);
    EXPECT_LT(map.explained, 0.05);
    EXPECT_NEAR(map.place(std::vector<float>(60, 0.5F))[0], 5, 0.4);
}

TEST(ContentMap, items_without_events_or_content_teach_nothing) {
    auto world = linear_world(300, 0.1F, 0.1F);
    const auto before = fit(world, 0.1);
    auto more = linear_world(600, 0.1F, 0.1F);
    for (std::size_t i = 0; i < 600; ++i) {
        const bool is_old = i < 300;
        for (std::size_t c = 0; c < 4; ++c) {
            more.content.vectors(i, c) = is_old ? world.content.vectors(i, c) : 100.0F;
        }
        for (std::size_t c = 0; c < 2; ++c) {
            more.vectors(i, c) = is_old ? world.vectors(i, c) : -100.0F;
        }
        more.n_events[i] = is_old || i % 2 == 0 ? 1e6F : 0.0F;
        more.content.present[i] = is_old || i % 2 == 1 ? 1 : 0;
    }

    const auto after = fit(more, 0.1);

    for (std::size_t r = 0; r < 4; ++r) {
        for (std::size_t c = 0; c < 2; ++c) {
            EXPECT_NEAR(before.weights(r, c), after.weights(r, c), 1e-4);
        }
    }
}

TEST(ContentMap, one_item_is_too_few) {
    EXPECT_TRUE(fit(linear_world(1, 0, 0)).empty());
}

ContentMap fit_kind(const LinearWorld& world, ContentMapKind kind) {
    return fit_content_map(
        {.content = world.content,
         .vectors = world.vectors.view(),
         .n_events = world.n_events,
         .kind = kind},
        Rng{1}
    );
}

TEST(ContentMap, a_hidden_layer_finds_what_a_line_cannot_and_is_honest_about_the_rest) {
    auto world = linear_world(1500, 0, 0);
    Rng rng{4};
    for (std::size_t i = 0; i < world.vectors.rows(); ++i) {
        const auto c = world.content.vectors.row(i);
        world.vectors(i, 0) = c[0] * c[1];
        world.vectors(i, 1) = static_cast<float>(rng.normal());  // nobody could
    }

    const auto line = fit_kind(world, ContentMapKind::ridge);
    const auto map = fit_kind(world, ContentMapKind::mlp);

    EXPECT_LT(line.explained, 0.05);
    EXPECT_GT(map.explained, 0.25);
    EXPECT_LT(map.variance[0], 0.5) << "1 is all there is";
    EXPECT_GT(map.variance[1], 0.9) << "held-out items are not learned from";
    EXPECT_GT(map.place(std::vector<float>{1.5, 1.5, 0, 0})[0], 1);
    EXPECT_LT(map.place(std::vector<float>{1.5, -1.5, 0, 0})[0], -1);
    EXPECT_EQ(map.content_dim(), 4U);
}

TEST(ContentMap, every_kind_finds_a_line_and_is_the_same_for_the_same_seed) {
    const auto world = linear_world(600, 0.1F, 0.1F);
    for (const auto kind :
         {ContentMapKind::ridge, ContentMapKind::mlp, ContentMapKind::contrastive}) {
        const auto map = fit_kind(world, kind);
        EXPECT_GT(map.explained, 0.9) << static_cast<int>(kind);
        EXPECT_EQ(
            fit_kind(world, kind).place(std::vector<float>{1, 2, 3, 4}),
            map.place(std::vector<float>{1, 2, 3, 4})
        );
    }
    EXPECT_EQ(parse_content_map("contrastive"), ContentMapKind::contrastive);
    EXPECT_THROW((void)parse_content_map("linear"), Error);
}

}  // namespace
}  // namespace hg::train
