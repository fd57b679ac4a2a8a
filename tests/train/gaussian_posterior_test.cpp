// SPDX-License-Identifier: Apache-2.0
#include "train/gaussian_posterior.hpp"

#include "train/fit_gaussian_prior.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace hg::train {
namespace {

GaussianPrior::Parts parts(GaussianPosterior start) {
    return {
        .item_vectors = Matrix<float>(2, 3, {1, 2, -1, 0.5F, 0, 1}),
        .segments = {{"", std::move(start)}},
        .noise_variance = 0.5F,
        .content_map = {},
    };
}

const GaussianPosterior whole{{0.1F, 0.2F, 0}, {2, 0, 0, 0, 1, 0, 0, 0, 0.5F}};

TEST(GaussianPosterior, a_diagonal_is_the_same_matrix_in_d_numbers) {
    const auto diagonal = whole.diagonal();

    EXPECT_THAT(diagonal.covariance, testing::ElementsAre(2, 1, 0.5F));
    EXPECT_TRUE(diagonal.is_diagonal());
    EXPECT_FALSE(whole.is_diagonal());
    EXPECT_EQ(diagonal.trace(), whole.trace());
    const std::array<float, 3> v{1, 2, -1};
    std::array<float, 3> by_diagonal{};
    std::array<float, 3> by_whole{};
    diagonal.multiply(v, by_diagonal);
    whole.multiply(v, by_whole);
    EXPECT_EQ(by_diagonal, by_whole);
}

TEST(GaussianPosterior, the_first_event_moves_both_alike_and_then_only_variances_are_left) {
    const GaussianPrior of_whole{parts(whole)};
    const GaussianPrior of_diagonal{parts(whole.diagonal())};
    auto exact = of_whole.start();
    auto kept = of_diagonal.start();

    of_whole.observe(exact, 0, 1);
    of_diagonal.observe(kept, 0, 1);

    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FLOAT_EQ(kept.mean[i], exact.mean[i]);
        EXPECT_FLOAT_EQ(kept.variance(i), exact.variance(i));
    }
    EXPECT_EQ(kept.covariance.size(), 3);
    EXPECT_NE(of_whole.space_id(), of_diagonal.space_id());
}

// Of 20,000 draws a mean is off by .011 and a covariance of at most 3 by .03, one standard error each.
TEST(GaussianPosterior, draws_have_its_mean_and_covariance) {
    const GaussianPosterior tilted{{1, -1}, {3, 1.2F, 1.2F, 1}};
    const GaussianPosterior flat{{1, -1}, {1, 1, 1, 1}};  // known exactly across
    for (const auto& posterior : {tilted, flat, tilted.diagonal()}) {
        Rng rng{5};
        constexpr int n = 20'000;
        std::array<double, 2> sum{};
        std::array<double, 3> products{};
        for (int i = 0; i < n; ++i) {
            const auto u = posterior.draw(rng);
            const double x = static_cast<double>(u[0]) - 1;
            const double y = static_cast<double>(u[1]) + 1;
            sum[0] += x / n;
            sum[1] += y / n;
            products[0] += x * x / n;
            products[1] += x * y / n;
            products[2] += y * y / n;
        }
        EXPECT_NEAR(sum[0], 0, 0.06);
        EXPECT_NEAR(sum[1], 0, 0.06);
        EXPECT_NEAR(products[0], posterior.variance(0), 0.15);
        EXPECT_NEAR(products[1], posterior.is_diagonal() ? 0 : posterior.covariance[1], 0.1);
        EXPECT_NEAR(products[2], posterior.variance(1), 0.15);
    }
}

// One dimension, v = 1, prior N(0, 1), noise 1: K = 1 / (1 + noise / evidence), m = K y, C = 1 - K.
TEST(GaussianPrior, an_event_is_as_noisy_a_look_as_its_kind_is_little_worth) {
    struct Case {
        const char* what;
        float weight;
        float mean;
        float variance;
    };

    const GaussianPrior prior{{
        .item_vectors = Matrix<float>(1, 1, {1}),
        .segments = {{"", {{0}, {1}}}},
        .noise_variance = 1,
    }};
    for (const auto& [what, weight, mean, variance] : {
             Case{"a click", 1, 1.0F / 2, 1.0F / 2},
             Case{"a purchase, worth three", 3, 3.0F / 4, 1.0F / 4},
             Case{"a look, worth half", 0.5F, 1.0F / 3, 2.0F / 3},
             Case{"passed by: nothing, with half the evidence", 0, 0, 2.0F / 3},
             Case{"disliked", -1, -1.0F / 2, 1.0F / 2},
             Case{"disliked three times as much", -3, -3.0F / 4, 1.0F / 4},
         }) {
        auto belief = prior.start();

        prior.observe(belief, 0, weight);

        EXPECT_NEAR(belief.mean[0], mean, 1e-6) << what;
        EXPECT_NEAR(belief.variance(0), variance, 1e-6) << what;
    }
}

}  // namespace
}  // namespace hg::train
