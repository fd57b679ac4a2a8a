// SPDX-License-Identifier: Apache-2.0
// StateEncoderNet: s = f(user's numbers, session): what an agent knows of a user as one vector.
//
// To add one: copy the nearest file of state_encoders/, end it with `extern const
// StateEncoderEntry name{...}` and add HG_STATE_ENCODER(name) to state_encoders/builtin.def.
#pragma once

#include "core/error.hpp"
#include "policy/agent.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace hg::policy {

struct StateEncoderNet : torch::nn::Module {
    /// users [B, user_size], sessions [B, length * token] -> [B, hidden]
    virtual at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) = 0;

    /// A scalar added to the agent's loss of the last forward(); undefined = none.
    virtual at::Tensor auxiliary_loss() { return {}; }
};

struct StateEncoderShape {
    std::int64_t user_size = 0;
    std::int64_t length = 0;  // tokens of a session
    std::int64_t token = 0;   // numbers of a token
    std::int64_t hidden = 0;
};

struct StateEncoderEntry {
    std::string_view name;
    std::string_view summary;
    bool reads_session;
    std::shared_ptr<StateEncoderNet> (*make)(const StateEncoderShape& shape);
};

[[nodiscard]] std::span<const StateEncoderEntry* const> state_encoders();
[[nodiscard]] const StateEncoderEntry& find_state_encoder(std::string_view name);

}  // namespace hg::policy
