// SPDX-License-Identifier: Apache-2.0
// The terms of the policy gradients against their equations, by hand.
#include "policy/policy_gradient_net.hpp"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <cmath>

namespace hg::policy {
namespace {

TEST(ClippedGain, is_the_lesser_of_the_plain_and_the_clipped_ratio_times_the_advantage) {
    const auto ratios = torch::tensor({1.5, 1.5, 0.5, 0.5, 1.1}, at::kDouble);
    const auto advantages = torch::tensor({1.0, -1.0, 1.0, -1.0, 2.0}, at::kDouble);
    const auto old = at::full({5}, -2.0, at::kDouble);
    const auto now = (old + ratios.log()).detach().set_requires_grad(true);

    const auto gain = clipped_gain(now, old, advantages, 0.2);

    const auto expected = torch::tensor({1.2, -1.5, 0.5, -0.8, 2.2}, at::kDouble);
    EXPECT_TRUE(at::allclose(gain, expected)) << gain;
    gain.sum().backward();
    // No pull where the step has gone far enough; d rho / d log p = rho elsewhere.
    const auto pull = torch::tensor({0.0, -1.5, 0.5, 0.0, 2.2}, at::kDouble);
    EXPECT_TRUE(at::allclose(now.grad(), pull)) << now.grad();
}

TEST(TopKLogProb, moves_the_clicked_item_by_the_derivative_of_being_in_the_slate) {
    const auto scores = torch::tensor({{0.3, -0.2, 0.9, 0.1}}, at::kDouble).set_requires_grad(true);
    const auto slates = torch::tensor({{2, 0, 3}}, at::kLong);
    const auto clicked = torch::tensor({{0.0, 1.0, 0.0}}, at::kDouble);
    const auto pi = at::softmax(scores.detach(), 1)[0];
    const double clicked_pi = pi[0].item<double>();

    top_k_log_prob(scores, slates, clicked).sum().backward();

    // K (1 - pi)^(K - 1) grad log pi, grad log pi_a by score i = [i = a] - pi_i.
    const double factor = 3 * std::pow(1 - clicked_pi, 2);
    for (std::int64_t i = 0; i < 4; ++i) {
        const double expected = factor * ((i == 0 ? 1 : 0) - pi[i].item<double>());
        EXPECT_NEAR(scores.grad()[0][i].item<double>(), expected, 1e-12) << i;
    }
}

TEST(TopKLogProb, of_one_slot_is_the_log_probability_whether_it_was_clicked_or_not) {
    const auto scores = torch::tensor({{0.3, -0.2, 0.9}, {0.3, -0.2, 0.9}}, at::kDouble);
    const auto slates = torch::tensor({{1}, {1}}, at::kLong);
    const auto clicked = torch::tensor({{0.0}, {1.0}}, at::kDouble);

    const auto value = top_k_log_prob(scores, slates, clicked);

    EXPECT_TRUE(at::allclose(value, slate_log_prob(scores, slates)));
}

}  // namespace
}  // namespace hg::policy
