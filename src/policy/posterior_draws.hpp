// SPDX-License-Identifier: Apache-2.0
// PosteriorDraws: Thompson sampling with propensities that are exact.
//
// The probability that a posterior draw prefers an item has no closed form. So a decision is made
// with one of a stated number of draws: they are made ahead, belong to the agent's state, and the
// probability of an item given them is a share that can be counted. Off-policy estimates that
// condition on the draws are unbiased. `floor_draws` of one draw is spread evenly, so that no share is 0.
//
//   auto score = PosteriorDraws::log_share(wins, n_candidates);      // for SlateDraw::softmax at T = 1
#pragma once

#include <cmath>
#include <cstdint>

namespace hg::policy {

struct PosteriorDraws {
    static constexpr double floor_draws = 0.02;

    /// log of (wins + a little), so that a softmax at temperature 1 draws in proportion to wins.
    [[nodiscard]] static float log_share(double wins, double n_candidates) {
        return static_cast<float>(std::log(wins + floor_draws / n_candidates));
    }
};

}  // namespace hg::policy
