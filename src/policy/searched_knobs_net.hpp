// SPDX-License-Identifier: Apache-2.0
// SearchedKnobs: what agents/evolution.cpp tries: the last layer of an actor that says knobs, those of a belief of its
// own or those of a server. Private to this room.
#pragma once

#include "policy/agent.hpp"
#include "policy/net_input_net.hpp"
#include "train/adam.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace hg::policy {

class SearchedKnobs {
  public:
    SearchedKnobs() = default;
    SearchedKnobs(const SearchedKnobs&) = delete;
    SearchedKnobs& operator=(const SearchedKnobs&) = delete;
    SearchedKnobs(SearchedKnobs&&) = delete;
    SearchedKnobs& operator=(SearchedKnobs&&) = delete;
    virtual ~SearchedKnobs() = default;

    /// [B, n]
    [[nodiscard]] virtual at::Tensor scores(const NetInput& in) = 0;
    [[nodiscard]] virtual torch::nn::Linear last_layer() = 0;
    [[nodiscard]] virtual train::Adam::NamedTensors named() const = 0;

    /// What sessions teach beside the search; empty = nothing.
    [[nodiscard]] virtual train::Adam::NamedTensors taught() const { return {}; }

    [[nodiscard]] virtual at::Tensor lesson(const at::Tensor& /*sessions*/) const { return {}; }

    /// As Agent::begin_with().
    virtual bool begin_with(
        std::string_view /*agent*/,
        const nlohmann::json& /*options*/,
        const SafetensorsFile& /*weights*/
    ) {
        return false;
    }
};

/// head: belief or knobs (worlds served:RUN).
[[nodiscard]] std::unique_ptr<SearchedKnobs> make_searched_knobs(
    const AgentContext& context, std::string_view head, std::int64_t hidden
);

}  // namespace hg::policy
