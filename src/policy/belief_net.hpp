// SPDX-License-Identifier: Apache-2.0
// BeliefNet: the belief-conditioned actor (VariBAD style: Zintgraf et al., 2020): what the user's
// answers say of each candidate, and knobs of how far to go beyond it, chosen from the state of the
// belief. Private to this room.
//
//   score(i) = base(i) + sum_c  w_c(z) m_c(i) + alpha_c(z) sigma_c(i)
//
// m_c, sigma_c: mean and deviation of candidate i under the belief of channel c (belief_filter_net.hpp:
// what is earned, what is said of quality); z: how long the session is and how sure the belief; base:
// the score of AgentNet, which sees the user's numbers. The knobs w and alpha are all the actor adds;
// alpha = 0 everywhere is greed on the belief. Where we deviate from VariBAD: the belief is a Gaussian
// in closed form, not a variational code, and is trained by predicting the next answer alone; the
// policy's gradient stops at it.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/belief_filter_net.hpp"

#include <memory>
#include <vector>

namespace hg::policy {

struct BeliefNet final : AgentNet {
    BeliefNet(const AgentContext& context, const NetworkOptions& options);

    Output forward(const NetInput& in) override;

    at::Tensor auxiliary_loss() override { return auxiliary_; }

    struct Seen {
        std::vector<BeliefFilterNet::Readout> channels;
        at::Tensor summary;  // z [B, 1 + 5 * channels]
    };

    /// What the filters make of a session, without gradient.
    [[nodiscard]] Seen look(const NetInput& in) const;

    struct Knobs {
        at::Tensor weight;  // w [B, channels]
        at::Tensor alpha;   // [B, channels]
    };

    [[nodiscard]] Knobs knobs(const at::Tensor& summary);

  private:
    [[nodiscard]] at::Tensor tokens_of(const NetInput& in) const;

    std::int64_t length_;
    std::int64_t token_;
    std::vector<std::shared_ptr<BeliefFilterNet>> filters_;
    torch::nn::Linear knob_hidden{nullptr};
    torch::nn::Linear knob_out{nullptr};
    torch::nn::Linear belief_value{nullptr};
    at::Tensor auxiliary_;
};

/// The network of NetworkOptions::head.
[[nodiscard]] std::shared_ptr<AgentNet> make_agent_net(
    const AgentContext& context, const NetworkOptions& options
);

}  // namespace hg::policy
