// SPDX-License-Identifier: Apache-2.0
// score(i) = sum_c w_c m_c(i) + alpha_c sigma_c(i): what the meta-policy does with a belief.
#include "policy/belief_knob_net.hpp"
#include "policy/session_tokens.hpp"

#include <gtest/gtest.h>

namespace hg::policy {
namespace {

at::Tensor row(std::vector<float> values) {
    return at::tensor(values).view({1, -1});
}

/// Two channels, three candidates.
BeliefKnobNet::Seen seen() {
    return {
        .channels =
            {{.mean = row({1, 2, 3}), .deviation = row({0.5F, 0.25F, 0})},
             {.mean = row({4, 0, -4}), .deviation = row({2, 1, 3})}},
        .summary = {}
    };
}

TEST(BeliefKnobs, score_is_the_weighted_mean_and_the_weighted_doubt_of_every_channel) {
    const auto scores =
        BeliefKnobNet::scores(seen(), {.weight = row({2, 0.5F}), .alpha = row({4, -1})});

    EXPECT_TRUE(at::equal(scores, row({4 + 0, 5 - 1, 4 - 3})));  // 2 m1 + .5 m2 + 4 s1 - s2
}

TEST(BeliefKnobs, without_alpha_the_order_is_that_of_the_mean) {
    const auto greedy =
        BeliefKnobNet::scores(seen(), {.weight = row({4, 0}), .alpha = row({0, 0})});

    EXPECT_TRUE(at::equal(greedy, 4 * seen().channels[0].mean));
}

TEST(BeliefKnobs, an_actor_that_says_nothing_is_greed_with_equal_weights) {
    const simulate::EnvironmentFacts world{.n_candidates = 3, .item_size = 2, .step_limit = 5};
    const auto token = SessionTokens::token_size(world);
    BeliefKnobNet net{{.world = world, .session_size = 5 * token, .rng = Rng{1}}, 8};
    const at::NoGradGuard no_grad;
    net.knob_out->weight.zero_();

    const auto knobs = net.knobs(net.hidden(at::ones({1, net.knob_hidden->options.in_features()})));

    EXPECT_TRUE(at::equal(knobs.alpha, at::zeros_like(knobs.alpha)));
    EXPECT_TRUE(at::equal(knobs.weight, knobs.weight[0][0].expand_as(knobs.weight)));
    EXPECT_GT(knobs.weight[0][0].item<float>(), 0);
}

}  // namespace
}  // namespace hg::policy
