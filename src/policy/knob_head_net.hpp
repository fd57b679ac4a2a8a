// SPDX-License-Identifier: Apache-2.0
// KnobHead: the actor of the server (knob_actor.hpp) as tensors: items are what the knobs weigh
// (served_items.hpp), the user is the summary of the belief, and all it can say is how much each weighs. Private to
// this room.
//
//   score(i) = 4 (score_i + sum_j knob_j(z) signal_ij),  knob(z) = 2 tanh(W2 tanh(W1 z + b1) + b2)
//
// and, where slates are shown, less diversity(z) = 1 + tanh(...) of the likeness to those above
// (diverse_scores_net.hpp). So what is learned is an order that the server's knobs make, and nothing else. KnobNet
// learns it by gradients of a policy, agents/evolution.cpp by trying.
#pragma once

#include "policy/diverse_scores_net.hpp"
#include "policy/net_input_net.hpp"
#include "simulate/environment.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace hg::policy {

struct KnobHead {
    /// Begins near greed. Throws Error where the world is not that of a served run. Whoever owns it registers
    /// `hidden` and `out` as knob_hidden and knob_out, the names KnobActor::load() reads.
    KnobHead(const simulate::EnvironmentFacts& world, std::int64_t width);

    /// [B, n]
    [[nodiscard]] at::Tensor scores(const NetInput& in);

    torch::nn::Linear hidden{nullptr};
    /// [knobs]: exploration, novelty, content and, of slates, diversity.
    torch::nn::Linear out{nullptr};

  private:
    bool shows_directions_;
    DiverseAmong among_;
};

}  // namespace hg::policy
