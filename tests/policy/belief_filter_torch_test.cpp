// SPDX-License-Identifier: Apache-2.0
// The belief of a session against the textbook: one update at a time, and a prior that is known.
#include "core/rng.hpp"
#include "policy/belief_filter_net.hpp"
#include "train/gaussian_prior.hpp"

#include <torch/optim/adam.h>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hg::policy {
namespace {

constexpr std::int64_t item_size = 2;
constexpr std::int64_t token_size = item_size + 4;

void put(at::Tensor& tokens, std::int64_t user, std::int64_t at, std::vector<float> item, float y) {
    for (std::int64_t i = 0; i < item_size; ++i) {
        tokens[user][at][i] = item[static_cast<std::size_t>(i)];
    }
    tokens[user][at][item_size] = y > 0 ? 1 : 0;
    tokens[user][at][item_size + 1] = y;
    tokens[user][at][item_size + 3] = 1;
}

TEST(BeliefFilter, equals_one_update_after_the_other) {
    BeliefFilterNet filter{item_size, Answer::value};
    {
        const at::NoGradGuard no_grad;
        filter.named_parameters()["remembered"].fill_(100);  // nothing is forgotten
    }
    // The same prior: N(0, .25 I), noise .25, over [item, 1].
    train::GaussianPrior::Parts parts;
    parts.item_vectors = Matrix<float>(2, 3);
    const std::vector<std::vector<float>> items{{0.3F, -1}, {0.8F, 0.5F}};
    for (std::size_t i = 0; i < 2; ++i) {
        std::ranges::copy(items[i], parts.item_vectors.row(i).begin());
        parts.item_vectors(i, 2) = 1;
    }
    train::GaussianPosterior start{
        .mean = {0, 0, 0}, .covariance = {0.25F, 0, 0, 0, 0.25F, 0, 0, 0, 0.25F}
    };
    parts.segments.push_back({"", start});
    parts.noise_variance = 0.25F;
    const train::GaussianPrior prior{std::move(parts)};
    auto expected = prior.start();
    prior.observe(expected, 0, 1.0F);
    prior.observe(expected, 1, 1.0F);

    auto tokens = at::zeros({1, 4, token_size});  // two empty places first
    put(tokens, 0, 2, items[0], 1);
    put(tokens, 0, 3, items[1], 1);
    const at::NoGradGuard no_grad;
    const auto belief = filter.posterior(tokens);
    const auto read = filter.read(
        belief, at::tensor({items[0][0], items[0][1], items[1][0], items[1][1]}).view({1, 2, 2})
    );

    for (std::int64_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(
            belief.mean[0][c].item<float>(), expected.mean[static_cast<std::size_t>(c)], 1e-3
        );
    }
    for (std::int64_t i = 0; i < 2; ++i) {
        EXPECT_NEAR(
            read.deviation[0][i].item<float>(),
            prior.uncertainty(expected, static_cast<std::size_t>(i)),
            1e-3
        );
    }
}

TEST(BeliefFilter, draws_have_the_mean_and_the_deviation_of_the_posterior) {
    BeliefFilterNet filter{item_size, Answer::value};
    auto tokens = at::zeros({1, 2, token_size});
    put(tokens, 0, 0, {1, 0}, 1);
    put(tokens, 0, 1, {1, 0.5F}, 0);
    at::manual_seed(5);
    constexpr std::int64_t n_draws = 20'000;
    const auto items = at::tensor({1.0F, 0.0F}).view({1, 1, 2});
    const at::NoGradGuard no_grad;

    const auto belief = filter.posterior(tokens);
    const auto read = filter.read(belief, items);
    const auto drawn = filter.draw(belief, items, at::randn({n_draws, filter.dim()}));

    // 20,000 draws: the mean is off by more than 5.5 standard errors once in 2e7 runs.
    const auto deviation = read.deviation.item<double>();
    EXPECT_NEAR(
        drawn.mean().item<double>(), read.mean.item<double>(), 5.5 * deviation / std::sqrt(n_draws)
    );
    EXPECT_NEAR(drawn.std().item<double>(), deviation, 0.04 * deviation);
}

TEST(BeliefFilter, the_prior_that_predicts_best_is_the_one_users_come_from) {
    // Users u ~ N((.4, -.3, .2), diag(.3, .05, .1)^2), y = u . [x, 1] + N(0, .2^2).
    const std::vector<double> mean{0.4, -0.3, 0.2};
    const std::vector<double> deviation{0.3, 0.05, 0.1};
    Rng rng{3};
    constexpr std::int64_t n_users = 4000;
    constexpr std::int64_t length = 4;
    auto tokens = at::zeros({n_users, length, token_size});
    auto cells = tokens.accessor<float, 3>();
    for (std::int64_t u = 0; u < n_users; ++u) {
        std::vector<double> preference;
        for (std::size_t c = 0; c < 3; ++c) {
            preference.push_back(mean[c] + deviation[c] * rng.normal());
        }
        for (std::int64_t t = 0; t < length; ++t) {
            const double a = rng.normal();
            const double b = rng.normal();
            cells[u][t][0] = static_cast<float>(a);
            cells[u][t][1] = static_cast<float>(b);
            cells[u][t][item_size] = 1;
            cells[u][t][item_size + 1] = static_cast<float>(
                preference[0] * a + preference[1] * b + preference[2] + 0.2 * rng.normal()
            );
            cells[u][t][item_size + 3] = 1;
        }
    }
    BeliefFilterNet filter{item_size, Answer::value};
    torch::optim::Adam adam{filter.parameters(), torch::optim::AdamOptions{0.05}};
    for (int step = 0; step < 700; ++step) {
        adam.zero_grad();
        // Sessions of one to four answers: also the first one is predicted, by the prior alone.
        const auto sessions = tokens.slice(0, step % 8, n_users, 8).narrow(1, 0, 1 + step % length);
        const auto loss = filter.next_answer_loss(sessions);
        loss.backward();
        adam.step();
    }

    const at::NoGradGuard no_grad;
    const auto prior = filter.posterior(at::zeros({1, 0, token_size}));
    const auto axes = filter.read(prior, at::tensor({1.0F, 0.0F, 0.0F, 0.0F}).view({1, 2, 2}));
    for (std::int64_t c = 0; c < 3; ++c) {
        EXPECT_NEAR(prior.mean[0][c].item<double>(), mean[static_cast<std::size_t>(c)], 0.05);
    }
    // The deviations of u . [1, 0, 1] and u . [0, 0, 1].
    EXPECT_NEAR(axes.deviation[0][0].item<double>(), std::hypot(0.3, 0.1), 0.06);
    EXPECT_NEAR(axes.deviation[0][1].item<double>(), 0.1, 0.04);
    EXPECT_NEAR(filter.named_parameters()["log_noise"].exp().item<double>(), 0.04, 0.015);
}

TEST(BeliefFilter, answers_that_never_vary_leave_a_belief_that_can_be_solved) {
    BeliefFilterNet filter{item_size, Answer::value};
    {
        const at::NoGradGuard no_grad;
        filter.named_parameters()["log_noise"].fill_(-60);  // where learning from them leads
    }
    auto tokens = at::zeros({1, 50, token_size});
    for (std::int64_t t = 0; t < 50; ++t) {
        put(tokens, 0, t, {1, 0.5F}, 0);
    }
    const at::NoGradGuard no_grad;
    const auto read = filter.read(filter.posterior(tokens), at::ones({1, 1, item_size}));
    EXPECT_TRUE(read.deviation.isfinite().all().item<bool>());
    EXPECT_TRUE(filter.next_answer_loss(tokens).isfinite().item<bool>());
}

TEST(BeliefFilter, a_rating_is_heard_only_from_items_that_were_clicked) {
    BeliefFilterNet filter{item_size, Answer::rating};
    auto passed_by = at::zeros({1, 1, token_size});
    passed_by[0][0][0] = 1;
    passed_by[0][0][item_size + 2] = 1;  // a rating without a click
    passed_by[0][0][item_size + 3] = 1;
    auto clicked = passed_by.clone();
    clicked[0][0][item_size] = 1;
    const at::NoGradGuard no_grad;

    const auto prior = filter.posterior(at::zeros({1, 1, token_size}));

    EXPECT_TRUE(at::allclose(filter.posterior(passed_by).mean, prior.mean));
    EXPECT_FALSE(at::allclose(filter.posterior(clicked).mean, prior.mean));
}

}  // namespace
}  // namespace hg::policy
