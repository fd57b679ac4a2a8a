// SPDX-License-Identifier: Apache-2.0
#include "train/ranking_loss.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

namespace hg::train {
namespace {

constexpr std::int64_t n_items = 30;

class RankingLoss : public testing::Test {
  protected:
    RankingLoss() {
        torch::manual_seed(3);
        states = at::randn({5, 4}, at::kDouble).requires_grad_(true);
        table = at::randn({n_items, 4}, at::kDouble).requires_grad_(true);
        targets = at::tensor(at::ArrayRef<std::int64_t>{0, 7, 7, 29, 3}, at::kLong);
        popularity.resize(n_items);
        std::iota(popularity.begin(), popularity.end(), 1.0F);
    }

    /// Central differences on every element against autograd.
    static void expect_gradient(at::Tensor& value, const std::function<at::Tensor()>& loss) {
        value.mutable_grad().reset();
        loss().backward();
        const auto gradient = value.grad().clone();
        const at::NoGradGuard no_grad;
        auto flat = value.view({-1});
        constexpr double step = 1e-5;
        for (std::int64_t i = 0; i < flat.numel(); ++i) {
            flat[i] += step;
            const auto up = loss().item<double>();
            flat[i] -= 2 * step;
            const auto down = loss().item<double>();
            flat[i] += step;
            EXPECT_NEAR(gradient.view({-1})[i].item<double>(), (up - down) / (2 * step), 1e-6) << i;
        }
    }

    at::Tensor states;
    at::Tensor table;
    at::Tensor targets;
    std::vector<float> popularity;
};

TEST_F(RankingLoss, full_softmax_has_the_gradient_of_its_value) {
    const auto loss = [this] { return full_softmax_loss(states, table, targets); };

    expect_gradient(states, loss);
    expect_gradient(table, loss);
}

TEST_F(RankingLoss, sampled_softmax_has_the_gradient_of_its_value) {
    Rng rng{1};
    const auto drawn = NegativeSampler{popularity, 0.5}.draw(12, rng);
    const auto loss = [&] { return sampled_softmax_loss(states, table, targets, drawn, true); };

    expect_gradient(states, loss);
    expect_gradient(table, loss);
}

TEST_F(RankingLoss, gbce_has_the_gradient_of_its_value) {
    Rng rng{1};
    const auto drawn = NegativeSampler{popularity, 0}.draw(12, rng);
    const auto loss = [&] { return gbce_loss(states, table, targets, drawn, 0.75); };

    expect_gradient(states, loss);
    expect_gradient(table, loss);
}

// Sampled rate a = 12 / 29: beta = a (t (1 - 1 / a) + 1 / a) = 1 - t (1 - a).
TEST_F(RankingLoss, gbce_weighs_the_target_by_beta) {
    Rng rng{1};
    const auto drawn = NegativeSampler{popularity, 0}.draw(12, rng);
    const auto logits = states.matmul(table.t());
    for (const double calibration : {0.0, 0.75, 1.0}) {
        const double rate = 12.0 / 29;
        const double beta = 1 - calibration * (1 - rate);
        double expected = 0;
        for (std::int64_t row = 0; row < 5; ++row) {
            const auto target = targets[row].item<std::int64_t>();
            expected += beta * std::log1p(std::exp(-logits[row][target].item<double>()));
            for (const auto item : drawn.items) {
                if (item != target) {
                    expected += std::log1p(std::exp(logits[row][item].item<double>()));
                }
            }
        }
        const auto loss = gbce_loss(states, table, targets, drawn, calibration).item<double>();
        EXPECT_NEAR(loss, expected / 5 / 13, 1e-6) << calibration;
    }
}

TEST_F(RankingLoss, gbce_gives_every_group_of_tokens_negatives_of_its_own) {
    const auto n_tokens = gbce_group + 5;
    const auto many = at::randn({n_tokens, 4}, at::kDouble);
    const auto answers = at::arange(n_tokens, at::kLong).remainder(n_items);
    Rng rng{2};
    const auto drawn = NegativeSampler{popularity, 0}.draw(14, rng);
    const auto half = [&](std::size_t which) {
        Negatives part;
        const auto first = drawn.items.begin() + static_cast<std::ptrdiff_t>(7 * which);
        part.items.assign(first, first + 7);
        return part;
    };

    const auto all = gbce_loss(many, table, answers, drawn, 0.5).item<double>();

    const auto of = [&](std::int64_t begin, std::int64_t end, std::size_t which) {
        return static_cast<double>(end - begin) *
               gbce_loss(
                   many.slice(0, begin, end), table, answers.slice(0, begin, end), half(which), 0.5
               )
                   .item<double>();
    };
    const auto parts = of(0, gbce_group, 0) + of(gbce_group, n_tokens, 1);
    EXPECT_NEAR(all, parts / static_cast<double>(n_tokens), 1e-9);
}

TEST_F(RankingLoss, bce_has_the_gradient_of_its_value) {
    Rng rng{1};
    const auto drawn = NegativeSampler{popularity, 0}.draw(5, rng);
    const auto loss = [&] { return bce_loss(states, table, targets, drawn); };

    expect_gradient(states, loss);
    expect_gradient(table, loss);
}

// The partition sum is estimated from 40,000 draws; its relative error has a standard deviation
// below 2 % for these logits, so the loss is within 0.1 of the full one far beyond a false-alarm
// rate of 1e-6.
TEST_F(RankingLoss, sampled_softmax_with_log_q_estimates_the_full_one) {
    const auto full = full_softmax_loss(states, table, targets).item<double>();
    for (const double power : {0.0, 0.75}) {
        Rng rng{2};
        const auto drawn = NegativeSampler{popularity, power}.draw(40'000, rng);

        const auto sampled =
            sampled_softmax_loss(states, table, targets, drawn, true).item<double>();

        EXPECT_NEAR(sampled, full, 0.1) << "power " << power;
    }
}

TEST_F(RankingLoss, a_negative_that_is_the_target_does_not_count) {
    const Negatives only_targets{.items = {7}, .probabilities = {0.5F}};
    const auto two = targets.slice(0, 1, 3);
    const auto their_states = states.slice(0, 1, 3);

    EXPECT_EQ(
        sampled_softmax_loss(their_states, table, two, only_targets, false).item<double>(), 0.0
    );
}

// n = 200,000 draws: a share's standard deviation is below 0.0009, the bound is more than 5 of
// them.
TEST(NegativeSampler, draws_items_as_often_as_it_says) {
    const std::vector<float> counts{0, 8, 1, 3};
    const NegativeSampler sampler{counts, 1};
    Rng rng{4};
    constexpr std::size_t n = 200'000;

    const auto drawn = sampler.draw(n, rng);

    std::vector<double> share(counts.size());
    for (std::size_t i = 0; i < n; ++i) {
        share[static_cast<std::size_t>(drawn.items[i])] += 1.0 / n;
        EXPECT_NEAR(
            drawn.probabilities[i],
            (counts[static_cast<std::size_t>(drawn.items[i])] + 1) / 16,
            1e-6
        );
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        EXPECT_NEAR(share[i], (counts[i] + 1) / 16, 0.006);
    }
}

TEST(FullSoftmax, in_several_blocks_it_is_the_cross_entropy_of_all) {
    torch::manual_seed(3);
    const auto table = at::randn({200'000, 2}).requires_grad_(true);  // 32 states fill the cache
    const auto states = at::randn({75, 2}).requires_grad_(true);
    const auto targets = at::randint(0, 200'000, {75}, at::kLong);
    const auto expected = at::cross_entropy_loss(states.matmul(table.t()), targets);
    expected.backward();
    const auto by_states = states.grad().clone();
    const auto by_table = table.grad().clone();
    states.mutable_grad().zero_();
    table.mutable_grad().zero_();

    const auto loss = full_softmax_loss(states, table, targets);
    loss.backward();

    EXPECT_NEAR(loss.item<double>(), expected.item<double>(), 1e-5);
    EXPECT_TRUE(at::allclose(states.grad(), by_states, 1e-4, 1e-6));
    EXPECT_TRUE(at::allclose(table.grad(), by_table, 1e-4, 1e-6));
}

}  // namespace
}  // namespace hg::train
