// SPDX-License-Identifier: Apache-2.0
// KnobNet: the actor of the server (knob_actor.hpp) as it is learned: items are what the knobs weigh
// (serve/served_world.hpp), the user is the summary of the belief, and all the network can say is how
// much each weighs. Private to this room.
//
//   score(i) = 4 (score_i + sum_j knob_j(z) signal_ij),  knob(z) = 2 tanh(W2 tanh(W1 z + b1) + b2)
//
// and, where slates are shown, less diversity(z) = 1 + tanh(...) of the likeness to those above
// (diverse_scores_net.hpp). So what is learned is an order that the server's knobs make, and nothing else.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/diverse_scores_net.hpp"

namespace hg::policy {

struct KnobNet final : AgentNet {
    /// Throws Error where the world is not that of a served run.
    KnobNet(const AgentContext& context, const NetworkOptions& options);

    Output forward(const NetInput& in) override;

  private:
    /// tanh of what the actor says, [B, n_signals], with one more column for diversity.
    [[nodiscard]] at::Tensor said(const at::Tensor& summary);

    bool shows_directions_;
    DiverseAmong among_;
    torch::nn::Linear knob_hidden{nullptr};
    torch::nn::Linear knob_out{nullptr};
};

}  // namespace hg::policy
