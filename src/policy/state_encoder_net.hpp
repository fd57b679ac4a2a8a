// SPDX-License-Identifier: Apache-2.0
// StateEncoderNet: s = f(user's numbers, session): what an agent knows of a user as one vector.
//
// To add one: copy the nearest file of state_encoders/, end it with `extern const
// StateEncoderEntry name{...}` and add HG_STATE_ENCODER(name) to state_encoders/builtin.def.
#pragma once

#include "core/error.hpp"
#include "policy/agent.hpp"
#include "policy/network_options.hpp"

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

    /// Numbers of an item that scores read beside the world's own; 0 = none.
    [[nodiscard]] virtual std::int64_t item_vector_size() const { return 0; }

    /// items [B, n, item_size] -> [B, n, item_vector_size()]
    virtual at::Tensor item_vectors(const at::Tensor& /*items*/) { return {}; }

    /// What parameters do not say and loading must find again. check_facts throws Error{conflict}.
    virtual void save_facts(SafetensorsWriter& /*weights*/) const {}

    virtual void check_facts(const SafetensorsFile& /*weights*/) const {}

    /// A scalar added to the agent's loss of the last forward(); undefined = none.
    virtual at::Tensor auxiliary_loss() { return {}; }
};

struct StateEncoderShape {
    std::int64_t user_size = 0;
    std::int64_t length = 0;  // tokens of a session
    std::int64_t token = 0;   // numbers of a token
    std::int64_t hidden = 0;
    const simulate::ItemTexts* item_texts = nullptr;     // outlives the encoder
    std::shared_ptr<encode::BertTrunk> trunk = nullptr;  // where the entry loads one
    BertStateOptions bert;
    TransformerStateOptions transformer;
};

struct StateEncoderEntry {
    std::string_view name;
    std::string_view summary;
    bool reads_session;
    std::shared_ptr<StateEncoderNet> (*make)(const StateEncoderShape& shape);
    /// The text model all networks of one agent share; null = it reads no text.
    std::shared_ptr<encode::BertTrunk> (*load_trunk)(const BertStateOptions& options) = nullptr;
};

[[nodiscard]] std::span<const StateEncoderEntry* const> state_encoders();
[[nodiscard]] const StateEncoderEntry& find_state_encoder(std::string_view name);

}  // namespace hg::policy
