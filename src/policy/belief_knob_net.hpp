// SPDX-License-Identifier: Apache-2.0
// BeliefKnobNet: a belief of the user's answers and a small actor that says how far to go beyond it
// (VariBAD style: Zintgraf et al., 2020). Private to this room.
//
//   score(i) = sum_c  w_c(z) m_c(i) + alpha_c(z) sigma_c(i)
//
// m_c, sigma_c: mean and deviation of candidate i under the belief of channel c (belief_filter_net.hpp:
// what is earned, what is said of quality); z: how long the session is and how sure the belief. The
// knobs w and alpha are all the actor says; alpha = 0 everywhere is greed on the belief. BeliefNet
// learns it by gradients of a policy, agents/evolution.cpp by trying. Where we deviate from VariBAD:
// the belief is a Gaussian in closed form, not a variational code, and is trained by predicting the
// next answer alone; the policy's gradient stops at it.
#pragma once

#include "policy/agent_net.hpp"
#include "policy/belief_filter_net.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace hg::policy {

struct BeliefKnobNet : torch::nn::Module {
    BeliefKnobNet(const AgentContext& context, std::int64_t hidden);

    struct Seen {
        std::vector<BeliefFilterNet::Readout> channels;
        at::Tensor summary;  // z [B, 1 + 5 * channels]
    };

    /// What the filters make of a session, without gradient.
    [[nodiscard]] Seen look(const NetInput& in) const;

    /// Of z: what knobs and value are read from, [B, hidden].
    [[nodiscard]] at::Tensor hidden(const at::Tensor& summary);

    struct Knobs {
        at::Tensor weight;  // w [B, channels]
        at::Tensor alpha;   // [B, channels]
    };

    [[nodiscard]] Knobs knobs(const at::Tensor& hidden);

    /// As Agent::begin_with(), of a run of agent belief: its prior, and its constant alpha whatever z.
    bool begin_with(
        std::string_view agent, const nlohmann::json& options, const SafetensorsFile& weights
    );

    /// [B, n]
    [[nodiscard]] static at::Tensor scores(const Seen& seen, const Knobs& knobs);

    /// How badly the filters predict the newest answer of these sessions [B, length * token].
    [[nodiscard]] at::Tensor next_answer_loss(const at::Tensor& sessions) const;

    torch::nn::Linear knob_hidden{nullptr};
    torch::nn::Linear knob_out{nullptr};  // zero bias: greed, w = 1 and alpha = 0

  private:
    std::int64_t length_;
    std::vector<std::shared_ptr<BeliefFilterNet>> filters_;
};

}  // namespace hg::policy
