// SPDX-License-Identifier: Apache-2.0
// Laplace's approximation against what a grid and finite differences say of the same posterior.
#include "train/choice_likelihood.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <numeric>

namespace hg::train {
namespace {

/// -log of the posterior after one choice, up to a constant; `precision`: the inverse of C.
double energy(
    const ChoiceLikelihood& choice,
    std::span<const double> u,
    std::span<const float> mean,
    std::span<const double> precision,
    std::span<const float> item,
    double weight
) {
    const auto d = u.size();
    double prior = 0;
    for (std::size_t r = 0; r < d; ++r) {
        for (std::size_t c = 0; c < d; ++c) {
            prior += (u[r] - mean[r]) * precision[r * d + c] * (u[c] - mean[c]) / 2;
        }
    }
    const auto logit = [&](std::span<const float> v) {
        return choice.sharpness * std::inner_product(u.begin(), u.end(), v.begin(), 0.0);
    };
    // Relative to the item's own logit, which may be far too large for exp().
    double sum = 1;
    for (std::size_t r = 0; r < choice.rivals.rows(); ++r) {
        sum += std::exp(logit(choice.rivals.row(r)) + choice.log_weights[r] - logit(item));
    }
    return prior + weight * std::log(sum);
}

TEST(ChoiceLikelihood, in_one_dimension_it_is_the_mode_and_the_curvature_of_the_grid) {
    const ChoiceLikelihood choice{
        .rivals = Matrix<float>(3, 1, {-1, 0.5F, 0.1F}),
        .log_weights = {0.3F, 1, 0},
        .sharpness = 2,
        .steps = 20,
    };
    const std::array<float, 1> item{1.2F};
    GaussianPosterior belief{{0.2F}, {0.5F}};
    const auto at = [&](double u) {
        const std::array mean{0.2F};
        const std::array precision{2.0};
        return energy(choice, std::array{u}, mean, precision, item, 1.5);
    };

    choice.observe(belief, item, 1.5F);

    constexpr double step = 1e-4;
    double best = -3;
    for (double u = -3; u < 3; u += step) {
        best = at(u) < at(best) ? u : best;
    }
    constexpr double wide = 1e-3;
    const double curvature = (at(best + wide) - 2 * at(best) + at(best - wide)) / (wide * wide);
    EXPECT_NEAR(belief.mean[0], best, 2 * step);
    EXPECT_NEAR(belief.covariance[0], 1 / curvature, 1e-4);
}

TEST(ChoiceLikelihood, at_its_mean_the_posterior_is_flat_and_its_covariance_inverts_the_curvature) {
    const ChoiceLikelihood choice{
        .rivals = Matrix<float>(4, 2, {1, 0, -0.5F, 1, 0.2F, -1, 0, 0.3F}),
        .log_weights = {0, 0.5F, 1, -0.5F},
        .sharpness = 3,
        .steps = 30,
    };
    const std::array<float, 2> item{0.7F, 0.6F};
    const std::vector<float> mean{0.1F, -0.2F};
    GaussianPosterior belief{mean, {0.5F, 0.1F, 0.1F, 0.3F}};
    const std::array precision{0.3 / 0.14, -0.1 / 0.14, -0.1 / 0.14, 0.5 / 0.14};

    choice.observe(belief, item, 1);

    const auto at = [&](double x, double y) {
        return energy(choice, std::array{x, y}, mean, precision, item, 1);
    };
    const double x = belief.mean[0];
    const double y = belief.mean[1];
    constexpr double h = 1e-3;
    EXPECT_NEAR((at(x + h, y) - at(x - h, y)) / (2 * h), 0, 1e-3);
    EXPECT_NEAR((at(x, y + h) - at(x, y - h)) / (2 * h), 0, 1e-3);
    const double xx = (at(x + h, y) - 2 * at(x, y) + at(x - h, y)) / (h * h);
    const double yy = (at(x, y + h) - 2 * at(x, y) + at(x, y - h)) / (h * h);
    const double xy =
        (at(x + h, y + h) - at(x + h, y - h) - at(x - h, y + h) + at(x - h, y - h)) / (4 * h * h);
    const auto& c = belief.covariance;
    EXPECT_NEAR(c[0] * xx + c[1] * xy, 1, 1e-2);
    EXPECT_NEAR(c[0] * xy + c[1] * yy, 0, 1e-2);
    EXPECT_NEAR(c[2] * xy + c[3] * yy, 1, 1e-2);
    EXPECT_EQ(c[1], c[2]);
}

TEST(ChoiceLikelihood, no_step_makes_the_posterior_less_likely_however_sharp_the_choice) {
    const ChoiceLikelihood sharp{
        .rivals = Matrix<float>(2, 1, {-1, 0.9F}),
        .log_weights = {0, 0},
        .sharpness = 200,
        .steps = 2,  // as by default
    };
    const std::array<float, 1> item{1};
    const std::vector<float> mean{-0.5F};
    const std::array precision{0.5};
    GaussianPosterior belief{mean, {2}};
    const auto at = [&](double u) {
        return energy(sharp, std::array{u}, mean, precision, item, 5);
    };

    sharp.observe(belief, item, 5);

    EXPECT_LT(at(belief.mean[0]), at(mean[0]));
    EXPECT_GT(belief.covariance[0], 0);
    EXPECT_LE(belief.covariance[0], 2);
}

TEST(ChoiceLikelihood, a_rival_that_is_the_chosen_item_counts_once) {
    ChoiceLikelihood choice{
        .rivals = Matrix<float>(2, 1, {-1, 0.5F}),
        .log_weights = {0.2F, 0.4F},
        .sharpness = 2,
        .steps = 3,
    };
    const std::array<float, 1> item{0.7F};
    GaussianPosterior without{{0}, {1}};
    choice.observe(without, item, 1);
    choice.rivals = Matrix<float>(3, 1, {-1, 0.7F, 0.5F});
    choice.log_weights = {0.2F, 3, 0.4F};
    GaussianPosterior with{{0}, {1}};
    choice.observe(with, item, 1);

    EXPECT_FLOAT_EQ(with.mean[0], without.mean[0]);
    EXPECT_FLOAT_EQ(with.covariance[0], without.covariance[0]);
}

TEST(ChoiceLikelihood, rivals_stand_for_all_items_whatever_their_popularity) {
    Matrix<float> vectors(50, 1);
    std::vector<float> n_events(50);
    double sum = 0;
    for (std::size_t i = 0; i < 50; ++i) {
        vectors(i, 0) = static_cast<float>(i) / 50;
        n_events[i] = i < 5 ? 1000 : 20;
        sum += vectors(i, 0);
    }

    const auto choice = draw_rivals(vectors.view(), n_events, 20'000, 1, 2, Rng{3});

    double n = 0;
    double drawn = 0;
    for (std::size_t r = 0; r < choice.rivals.rows(); ++r) {
        const double weight = std::exp(static_cast<double>(choice.log_weights[r]));
        n += weight;
        drawn += weight * static_cast<double>(choice.rivals(r, 0));
    }
    EXPECT_NEAR(n, 50, 2.5);
    EXPECT_NEAR(drawn, sum, 0.05 * sum);
}

}  // namespace
}  // namespace hg::train
