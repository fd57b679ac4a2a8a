// SPDX-License-Identifier: Apache-2.0
// KnobNet: the actor of the server (knob_actor.hpp) as it is learned: items are what the knobs weigh
// (serve/served_world.hpp), the user is the summary of the belief, and all the network can say is how
// much each weighs. Private to this room.
//
//   score(i) = 4 (score_i + sum_j knob_j(z) signal_ij),  knob(z) = 2 tanh(W2 tanh(W1 z + b1) + b2)
//
// So what is learned is an order that the server's knobs make, and nothing else.
#pragma once

#include "policy/agent_net.hpp"

namespace hg::policy {

/// Throws Error where the world does not show the signals of a served run.
void check_served_world(const simulate::EnvironmentFacts& world);

struct KnobNet final : AgentNet {
    /// Throws Error where the world is not that of a served run.
    KnobNet(const AgentContext& context, const NetworkOptions& options);

    Output forward(const NetInput& in) override;

    /// [B, n_chosen]
    [[nodiscard]] at::Tensor knobs(const at::Tensor& summary);

  private:
    torch::nn::Linear knob_hidden{nullptr};
    torch::nn::Linear knob_out{nullptr};
};

}  // namespace hg::policy
