// SPDX-License-Identifier: Apache-2.0
// BeliefNet: the belief-conditioned actor-critic: what AgentNet says of each candidate from the user's
// numbers, plus what the user's answers say of it (belief_knob_net.hpp). Private to this room.
//
//   score(i) = base(i) + sum_c  w_c(z) m_c(i) + alpha_c(z) sigma_c(i)
#pragma once

#include "policy/agent_net.hpp"
#include "policy/belief_knob_net.hpp"

#include <memory>

namespace hg::policy {

struct BeliefNet final : AgentNet {
    BeliefNet(const AgentContext& context, const NetworkOptions& options);

    Output forward(const NetInput& in) override;

    at::Tensor auxiliary_loss() override { return auxiliary_; }

    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    ) override {
        const at::NoGradGuard no_grad;
        base_share.zero_();
        return actor_->begin_with(agent, options, weights);
    }

    /// [1], of base: 0 where learning began with knobs that know nothing of it.
    at::Tensor base_share;

  private:
    std::shared_ptr<BeliefKnobNet> actor_;
    torch::nn::Linear belief_value{nullptr};
    at::Tensor auxiliary_;
};

/// The network of NetworkOptions::head.
[[nodiscard]] std::shared_ptr<AgentNet> make_agent_net(
    const AgentContext& context, const NetworkOptions& options
);

}  // namespace hg::policy
