// SPDX-License-Identifier: Apache-2.0
// The hierarchical Gaussian against the batch posterior and against a prior that is known.
#include "policy/meta/linear_prior.hpp"

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::policy {
namespace {

constexpr std::size_t n_inputs = 2;

Eigen::Matrix3d true_covariance() {
    Eigen::Matrix3d s;
    s << 0.5, 0.1, 0.0, 0.1, 0.3, -0.1, 0.0, -0.1, 0.2;
    return s;
}

const Eigen::Vector3d true_mean{0.2, -0.3, 0.0};
constexpr double true_noise = 0.6;

/// A user drawn from the prior.
TaskEvents draw_task(std::size_t n_events, Rng& rng) {
    const Eigen::Matrix3d root = true_covariance().llt().matrixL();
    const Eigen::Vector3d draw{rng.normal(), rng.normal(), rng.normal()};
    const Eigen::Vector3d w = true_mean + root * draw;
    TaskEvents task{n_inputs};
    for (std::size_t i = 0; i < n_events; ++i) {
        const std::array<float, n_inputs> x{
            static_cast<float>(rng.normal()), static_cast<float>(rng.normal())
        };
        const double answer = w[0] + w[1] * static_cast<double>(x[0]) +
                              w[2] * static_cast<double>(x[1]) +
                              std::sqrt(true_noise) * rng.normal();
        task.add(x, 1.0F, 1.0F + static_cast<float>(answer));
    }
    return task;
}

LinearPrior known_prior() {
    const auto s = true_covariance();
    LinearPrior prior{
        .start =
            {.mean = {true_mean[0], true_mean[1], true_mean[2]}, .covariance = Matrix<double>(3, 3)
            },
        .noise_variance = true_noise,
    };
    for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
            prior.start.covariance(i, j) =
                s(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
        }
    }
    return prior;
}

TEST(LinearPrior, updates_one_by_one_equal_the_batch_posterior) {
    Rng rng{1};
    const auto task = draw_task(7, rng);
    const auto prior = known_prior();
    auto belief = prior.start;

    Eigen::MatrixXd x(7, 3);
    Eigen::VectorXd r(7);
    for (std::size_t i = 0; i < 7; ++i) {
        const auto inputs = task.view().inputs.row(i);
        observe(belief, inputs, task.view().residual(i), prior.noise_variance);
        x.row(static_cast<Eigen::Index>(i)) << 1, inputs[0], inputs[1];
        r[static_cast<Eigen::Index>(i)] = task.view().residual(i);
    }

    const Eigen::Matrix3d s_inverse = true_covariance().inverse();
    const Eigen::Matrix3d c = (s_inverse + x.transpose() * x / true_noise).inverse();
    const Eigen::Vector3d m = c * (s_inverse * true_mean + x.transpose() * r / true_noise);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto at = static_cast<Eigen::Index>(i);
        EXPECT_NEAR(belief.mean[i], m[at], 1e-10);
        for (std::size_t j = 0; j < 3; ++j) {
            EXPECT_NEAR(belief.covariance(i, j), c(at, static_cast<Eigen::Index>(j)), 1e-10);
        }
    }
}

// 4,000 users: the standard error of a covariance entry is at most about 1.3 * .7 / sqrt(4000) =
// .014 (the .5 one, posterior noise included), of a mean .013; five of them as a bound.
TEST(LinearPrior, em_finds_the_prior_that_users_were_drawn_from) {
    Rng rng{2};
    std::vector<TaskEvents> tasks;
    for (int u = 0; u < 4000; ++u) {
        tasks.push_back(draw_task(12, rng));
    }

    const auto prior = fit_linear_prior(tasks, 60);

    const auto s = true_covariance();
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(prior.start.mean[i], true_mean[static_cast<Eigen::Index>(i)], 0.065);
        for (std::size_t j = 0; j < 3; ++j) {
            EXPECT_NEAR(
                prior.start.covariance(i, j),
                s(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)),
                0.07
            );
        }
    }
    EXPECT_NEAR(prior.noise_variance, true_noise, 0.03);
}

TEST(LinearPrior, without_preferences_it_is_the_shrunk_bias) {
    const auto prior = scaled(known_prior(), {.mean = 0, .bias = 1, .preference = 0});
    Rng rng{3};
    const auto task = draw_task(5, rng);
    auto belief = prior.start;
    double sum = 0;
    for (std::size_t i = 0; i < 5; ++i) {
        observe(belief, task.view().inputs.row(i), task.view().residual(i), true_noise);
        sum += task.view().residual(i);
    }

    EXPECT_NEAR(belief.mean[0], sum / (5 + true_noise / 0.5), 1e-6);
    EXPECT_EQ(belief.mean[1], 0);
}

}  // namespace
}  // namespace hg::policy
