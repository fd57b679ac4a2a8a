// SPDX-License-Identifier: Apache-2.0
#include "policy/belief.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::policy {
namespace {

/// Two dimensions, unit prior, three items: along each axis and between.
train::GaussianPrior small_prior(float noise = 0.5F) {
    return train::GaussianPrior{{
        .item_vectors = Matrix<float>(3, 2, {1, 0, 0, 1, 1, 1}),
        .segments = {{"", {{0, 0}, {1, 0, 0, 1}}}, {"F", {{0.5F, 0}, {0.5F, 0, 0, 0.5F}}}},
        .noise_variance = noise,
        .forgetting = 0,
        .content_map = {},
    }};
}

TEST(Belief, one_event_gives_the_posterior_of_the_textbook) {
    const auto prior = small_prior(0.5F);
    Belief belief{prior};

    adapt(prior, belief, ItemId{0}, 1.0F);

    // v = (1, 0), C = I, s2 = 0.5: K = 1 / 1.5; m = K; C00 = 1 - K.
    EXPECT_NEAR(belief.posterior.mean[0], 1 / 1.5, 1e-6);
    EXPECT_NEAR(belief.posterior.mean[1], 0, 1e-6);
    EXPECT_NEAR(belief.posterior.covariance[0], 1 - 1 / 1.5, 1e-6);
    EXPECT_NEAR(belief.posterior.covariance[3], 1, 1e-6);
}

TEST(Belief, many_updates_equal_the_batch_solution) {
    // Precision form: P = C0^-1 + sum v v' / s2, m = P^-1 (sum v y / s2).
    const auto prior = small_prior(0.5F);
    Belief belief{prior};
    for (const std::uint32_t item : {0U, 2U, 2U, 1U}) {
        adapt(prior, belief, ItemId{item}, 1.0F);
    }

    // sum v v' = [[3, 2], [2, 3]]; P = I + 2 * that = [[7, 4], [4, 7]]; b = 2 * (3, 3) = (6, 6).
    const double m = 6.0 / 11.0;  // P (1, 1)' = 11 (1, 1)'
    EXPECT_NEAR(belief.posterior.mean[0], m, 1e-5);
    EXPECT_NEAR(belief.posterior.mean[1], m, 1e-5);
    EXPECT_NEAR(belief.posterior.covariance[0], 7.0 / 33.0, 1e-5);
    EXPECT_NEAR(belief.posterior.covariance[1], -4.0 / 33.0, 1e-5);
}

TEST(Belief, the_order_of_events_does_not_matter_without_forgetting) {
    const auto prior = small_prior();
    data::HistoryBuffer forward;
    data::HistoryBuffer backward;
    for (const std::uint32_t item : {0U, 1U, 2U}) {
        forward.add(ItemId{item});
        backward.add(ItemId{2 - item});
    }

    const auto a = Belief::replay(prior, forward.view());
    const auto b = Belief::replay(prior, backward.view());

    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_NEAR(a.posterior.mean[i], b.posterior.mean[i], 1e-5);
    }
}

/// The same event liked and then disliked: alike they cancel out, forgetting lets the newer one win.
TEST(Belief, forgetting_makes_older_events_count_less) {
    const auto mean_after = [](float forgetting) {
        const train::GaussianPrior prior{{
            .item_vectors = Matrix<float>(1, 1, {1}),
            .segments = {{"", {{0}, {1}}}},
            .noise_variance = 0.5F,
            .forgetting = forgetting,
            .content_map = {},
        }};
        Belief belief{prior};
        adapt(prior, belief, ItemId{0}, 1.0F);
        adapt(prior, belief, ItemId{0}, -1.0F);
        return belief.posterior.mean[0];
    };

    EXPECT_NEAR(mean_after(0), 0, 1e-6);
    // C = 1 / .5 = 2, K = 2 / 2.5, m = .8, C = .4; then C = .8, K = .8 / 1.3, m = .8 - 1.8 K.
    EXPECT_NEAR(mean_after(0.5F), 0.8 - 1.8 * 0.8 / 1.3, 1e-6);
}

TEST(Belief, a_wish_is_no_event_and_lets_nothing_be_forgotten) {
    auto parts = small_prior().parts();
    parts.forgetting = 0.2F;
    const train::GaussianPrior prior{std::move(parts)};
    Belief belief{prior};
    for (int i = 0; i < 50; ++i) {
        adapt_to_wish(prior, belief, std::vector{1.0F, 0.0F}, 1);
    }

    EXPECT_EQ(belief.n_events, 0U);
    EXPECT_FLOAT_EQ(belief.posterior.variance(1), 1) << "nothing was said of that direction";
    EXPECT_LT(uncertainty_left(belief), 1);
}

TEST(Belief, a_dislike_moves_the_score_down_and_a_like_up) {
    const auto prior = small_prior();
    Belief liked{prior};
    Belief disliked{prior};
    adapt(prior, liked, ItemId{0}, 1.0F);
    adapt(prior, disliked, ItemId{0}, -1.0F);
    std::vector<float> up(3);
    std::vector<float> down(3);

    prior.score(liked.posterior, up);
    prior.score(disliked.posterior, down);

    EXPECT_GT(up[0], 0);
    EXPECT_LT(down[0], 0);
    EXPECT_GT(up[2], 0) << "an item alike is moved too";
}

TEST(Belief, every_event_leaves_less_uncertainty) {
    const auto prior = small_prior();
    Belief belief{prior};
    double before = uncertainty_left(belief);
    EXPECT_NEAR(before, 1, 1e-6);
    for (int i = 0; i < 20; ++i) {
        adapt(prior, belief, ItemId{static_cast<std::uint32_t>(i % 3)}, 1.0F);
        const double now = uncertainty_left(belief);
        EXPECT_LT(now, before);
        before = now;
    }
}

TEST(Belief, a_segment_has_a_start_of_its_own_and_an_unknown_one_is_everyone) {
    const auto prior = small_prior();

    EXPECT_FLOAT_EQ(Belief(prior, "F").posterior.mean[0], 0.5F);
    EXPECT_FLOAT_EQ(Belief(prior, "nobody").posterior.mean[0], 0.0F);
}

TEST(Belief, a_belief_of_another_space_is_refused) {
    const auto prior = small_prior();
    Belief belief{prior};
    belief.space_id = "another";

    EXPECT_THROW(adapt(prior, belief, ItemId{0}, 1.0F), std::logic_error);
}

TEST(Belief, traits_name_the_category_of_what_was_liked) {
    Matrix<float> vectors(12, 2);
    data::Field genres{.name = "genres", .kind = data::FieldKind::categories};
    genres.vocabulary = {"Comedy", "Horror"};
    genres.code_offsets = {0};
    for (std::uint32_t i = 0; i < 12; ++i) {
        vectors(i, i % 2) = 1;
        genres.present.push_back(1);
        genres.codes.push_back(i % 2);
        genres.code_offsets.push_back(i + 1);
    }
    const train::GaussianPrior prior{{
        .item_vectors = std::move(vectors),
        .segments = {{"", {{0, 0}, {1, 0, 0, 1}}}},
        .noise_variance = 0.1F,
        .forgetting = 0,
        .content_map = {},
    }};
    Belief belief{prior};
    adapt(prior, belief, ItemId{1}, 1.0F);

    const auto found = traits(prior, belief, genres, 1);

    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].name, testing::AnyOf("Horror", "Comedy"));
    EXPECT_EQ(found[0].preference > 0, found[0].name == "Horror");
}

/// Twelve items: even ones are comedies along the first axis, odd ones horror along the second.
struct Genres {
    Genres() : vectors(12, 2) {
        field.name = "genres";
        field.kind = data::FieldKind::categories;
        field.vocabulary = {"Comedy", "Horror"};
        field.code_offsets = {0};
        for (std::uint32_t i = 0; i < 12; ++i) {
            vectors(i, i % 2) = 1;
            field.codes.push_back(i % 2);
            field.code_offsets.push_back(i + 1);
            field.present.push_back(1);
        }
    }

    Matrix<float> vectors;
    data::Field field;
};

TEST(Belief, a_wish_moves_the_items_with_the_trait_and_its_opposite_the_other_way) {
    Genres world;
    const train::GaussianPrior prior{{
        .item_vectors = world.vectors,
        .segments = {{"", {{0, 0}, {1, 0, 0, 1}}}},
        .segment_field = {},
        .noise_variance = 0.5F,
        .forgetting = 0,
        .content_map = {},
    }};
    const auto comedy = trait_direction(prior, world.field, "Comedy");
    Belief more{prior};
    Belief less{prior};

    adapt_to_wish(prior, more, comedy, 1.0F);
    adapt_to_wish(prior, less, comedy, -1.0F);

    std::vector<float> up(12);
    std::vector<float> down(12);
    prior.score(more.posterior, up);
    prior.score(less.posterior, down);
    EXPECT_GT(up[0], up[1]);
    EXPECT_LT(down[0], down[1]);
    EXPECT_EQ(more.n_events, 0U) << "a wish is no event";
    EXPECT_LT(uncertainty_left(more), 1);
    EXPECT_TRUE(trait_direction(prior, world.field, "Western").empty());
}

}  // namespace
}  // namespace hg::policy
