// SPDX-License-Identifier: Apache-2.0
// The terms of the policy gradients against their equations, by hand.
#include "policy/actor_critic_net.hpp"
#include "policy/policy_gradient_net.hpp"
#include "policy/replay_net.hpp"

#include <torch/utils.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

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

constexpr double discount = 0.9;

/// Of three steps of one user, worth 1, 0, 2.
std::vector<float> advantages_of(
    std::vector<std::uint8_t> ended, std::vector<std::uint8_t> truncated, double lambda
) {
    Rollout rollout;
    rollout.rewards = {1, 0, 2};
    rollout.ended = std::move(ended);
    rollout.truncated = std::move(truncated);
    rollout.n_users = 1;
    rollout.n_steps = 3;
    return generalised_advantages(
        rollout, std::array{.5F, .25F, .1F}, std::array{.25F, .1F, .8F}, 1, discount, lambda
    );
}

// delta = r + .9 V' - V = .725, -.16, 2.62.
TEST(GeneralisedAdvantages, are_the_discounted_sum_of_one_step_errors) {
    const auto going_on = advantages_of({0, 0, 0}, {0, 0, 0}, 0.5);
    EXPECT_NEAR(going_on[2], 2.62, 1e-6);
    EXPECT_NEAR(going_on[1], -.16 + .45 * 2.62, 1e-6);
    EXPECT_NEAR(going_on[0], .725 + .45 * (-.16 + .45 * 2.62), 1e-6);
}

TEST(GeneralisedAdvantages, nothing_follows_an_end_and_the_value_follows_a_cut) {
    const auto ended = advantages_of({0, 1, 0}, {0, 0, 0}, 0.5);
    EXPECT_NEAR(ended[1], -.25, 1e-6);
    EXPECT_NEAR(ended[0], .725 + .45 * -.25, 1e-6);
    const auto cut = advantages_of({0, 0, 0}, {0, 1, 0}, 0.5);
    EXPECT_NEAR(cut[1], -.16, 1e-6);
    EXPECT_NEAR(cut[0], .725 + .45 * -.16, 1e-6);
}

// J = 1 + .9 * 0 + .81 * 2 of a visit that ends there.
TEST(GeneralisedAdvantages, with_lambda_1_are_the_discounted_return_less_the_value) {
    const auto whole = advantages_of({0, 0, 1}, {0, 0, 0}, 1);
    EXPECT_NEAR(whole[0], 2.62 - .5, 1e-6);
    EXPECT_NEAR(whole[1], .9 * 2 - .25, 1e-6);
    EXPECT_NEAR(whole[2], 2 - .1, 1e-6);
}

/// A user of one number and two items, for transitions made by hand.
class ReplayTest : public testing::Test {
  protected:
    void add(double reward, bool ended) {
        const std::array user{static_cast<float>(n_steps_)};
        const std::array next{static_cast<float>(n_steps_ + 1)};
        const ObservationBatch before = seen(user);
        const ObservationBatch after = seen(next);
        DecisionBatch decisions{1, 1};
        const std::array<simulate::Response, 1> responses{};
        const std::array rewards{reward};
        const std::array<std::uint8_t, 1> is_ended{static_cast<std::uint8_t>(ended ? 1 : 0)};
        const std::array<std::uint8_t, 1> is_truncated{0};
        replay_.add({
            .before = before,
            .decisions = decisions,
            .responses = {responses.data(), 1, 1},
            .rewards = rewards,
            .ended = is_ended,
            .truncated = is_truncated,
            .after = after,
        });
        ++n_steps_;
    }

    /// By the step it began with: n-step reward and discount of the value that follows.
    std::vector<std::pair<double, double>> remembered() {
        std::vector<std::pair<double, double>> by_step(
            static_cast<std::size_t>(n_steps_), {-1, -1}
        );
        Rng rng{3};
        const auto batch = replay_.sample(200, rng);
        for (std::int64_t i = 0; i < 200; ++i) {
            const auto step = batch.before.users[i][0].item<float>();
            by_step[static_cast<std::size_t>(step)] = {
                batch.rewards[i].item<double>(), batch.discounts[i].item<double>()
            };
        }
        return by_step;
    }

  private:
    [[nodiscard]] ObservationBatch seen(std::span<const float> user) const {
        return {
            .users = {user.data(), 1, 1},
            .items = {items_.data(), 2, 1},
            .item_ids = {ids_.data(), 1, 2},
            .states = {},
            .sessions = {items_.data(), 1, 0},
        };
    }

    std::array<float, 2> items_{};
    std::array<std::uint32_t, 2> ids_{0, 1};
    simulate::EnvironmentFacts world_{
        .n_candidates = 2, .user_size = 1, .item_size = 1, .n_items = 2
    };
    Replay replay_{{.world = world_, .session_size = 0, .rng = Rng{1}}, 100, 2, 0.5};
    int n_steps_ = 0;
};

// Q(s, a) = r + g r' + g^2 max Q(s'', .), which is r + g r' where the visit ended on the way.
TEST_F(ReplayTest, keeps_what_the_value_of_a_step_is_learned_from) {
    add(1, false);
    add(2, false);
    add(4, true);

    const auto kept = remembered();

    EXPECT_EQ(kept[0], (std::pair{1 + .5 * 2, .25}));
    EXPECT_EQ(kept[1], (std::pair{2 + .5 * 4, 0.0}));
    EXPECT_EQ(kept[2], (std::pair{4.0, 0.0}));
}

}  // namespace
}  // namespace hg::policy
