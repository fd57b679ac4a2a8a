// SPDX-License-Identifier: Apache-2.0
// AgentNet: the network of every deep agent: a state, a score per candidate, a value. Private to
// this room.
//
//   s = encoder(user, session)        score(s, i) = q(s) . k(i) / sqrt(d) + b(i)
//   value(s, C) = mlp(s, mean of k over the candidates)
//
// An item i is its numbers; where the encoder has some, a vector of its text; and with `products` its
// dot products with the user's numbers (liking of its topic, what was found of its topic, ...), of
// which b is then a network with a hidden layer: what holds of one topic need not be learned anew
// of every other. With `item_embedding` numbers are learned of every item of the world: an item on
// offer and an item of the session are then its own numbers and these.
#pragma once

#include "encode/tensor_io.hpp"
#include "policy/agent.hpp"
#include "policy/net_input_net.hpp"
#include "policy/network_options.hpp"
#include "policy/state_encoder_net.hpp"
#include "train/adam.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::policy {

inline constexpr std::array<std::string_view, 3> context_choices{"own", "none", "shuffled"};
inline constexpr std::string_view context_help =
    "whose session: own; none = what is known before it; shuffled = another user's";

/// The sessions [B, ...] of an ablation: somebody's own, none, or the neighbour's in the batch.
[[nodiscard]] inline at::Tensor session_in(const at::Tensor& sessions, std::string_view context) {
    if (context == "none") {
        return at::zeros_like(sessions);
    }
    return context == "shuffled" ? sessions.roll(1, 0) : sessions;
}

/// The context with the text model that these options name, loaded unless it is there already.
[[nodiscard]] AgentContext with_trunk(AgentContext context, const NetworkOptions& options);

struct AgentNet : torch::nn::Module {
    /// Throws Error{invalid_argument} where the options do not fit the world.
    AgentNet(const AgentContext& context, const NetworkOptions& options);

    struct Output {
        at::Tensor scores;  // [B, n]
        at::Tensor value;   // [B]
    };

    /// n may be fewer items than the world offers.
    virtual Output forward(const NetInput& in);

    /// As Agent::begin_with().
    virtual bool begin_with(
        std::string_view /*agent*/,
        const nlohmann::json& /*options*/,
        const SafetensorsFile& /*weights*/
    ) {
        return false;
    }

    /// A scalar added to the agent's loss of the last forward(); undefined = none.
    virtual at::Tensor auxiliary_loss() { return encoder->auxiliary_loss(); }

    [[nodiscard]] train::Adam::NamedTensors named() const;

    std::shared_ptr<const simulate::ItemTexts> texts;
    std::shared_ptr<StateEncoderNet> encoder;
    std::int64_t length = 0;    // tokens of a session
    at::Tensor item_embedding;  // [n_items, item_embedding]; undefined without
    torch::nn::Linear query{nullptr};
    torch::nn::Linear key{nullptr};
    torch::nn::Linear bias{nullptr};
    torch::nn::Linear value_hidden{nullptr};
    torch::nn::Linear value_out{nullptr};
    std::int64_t n_products = 0;  // the others only with products
    torch::nn::Linear bias_hidden{nullptr};
    torch::nn::Linear bias_out{nullptr};

  private:
    /// [B, n, n_item]
    [[nodiscard]] at::Tensor describe_items(const NetInput& in);
    /// As the encoder reads them: in every token the item's learned numbers stand behind its own.
    [[nodiscard]] at::Tensor describe_sessions(const at::Tensor& sessions) const;
    /// ids [B, n] -> [B, n, item_embedding]. Throws Error where an item is none of the world's.
    [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const;
};

/// Seeds torch's generator, which initialises modules.
inline void seed_torch(Rng rng) {
    at::manual_seed(rng());
}

using train::named_of;

inline void add_tensors(
    SafetensorsWriter& weights, const std::string& prefix, const train::Adam::NamedTensors& tensors
) {
    for (const auto& [name, tensor] : tensors) {
        encode::add_tensor(weights, prefix + name, tensor.detach());
    }
}

inline void copy_tensors(
    const SafetensorsFile& weights,
    const std::string& prefix,
    const train::Adam::NamedTensors& tensors
) {
    const at::NoGradGuard no_grad;
    for (const auto& [name, tensor] : tensors) {
        auto target = tensor;
        encode::copy_tensor(weights, prefix + name, target);
    }
}

/// Where Adam stands: moments and step, under `prefix`.
inline void add_adam(
    SafetensorsWriter& weights,
    const std::string& prefix,
    const train::Adam& adam,
    std::int64_t step
) {
    add_tensors(weights, prefix + "first.", adam.first_moments());
    add_tensors(weights, prefix + "second.", adam.second_moments());
    const std::vector<double> steps{static_cast<double>(step)};
    weights.add(prefix + "step", std::span<const double>{steps});
}

/// What add_adam() wrote, into `adam`; returns the step.
[[nodiscard]] inline std::int64_t load_adam(
    const SafetensorsFile& weights, const std::string& prefix, train::Adam& adam
) {
    copy_tensors(weights, prefix + "first.", adam.first_moments());
    copy_tensors(weights, prefix + "second.", adam.second_moments());
    const auto steps = value_or_throw(weights.values<double>(prefix + "step"));
    if (steps.size() != 1) {
        throw Error{ErrorCode::corrupt, prefix + "step holds one number", "learn the agent again"};
    }
    return static_cast<std::int64_t>(steps[0]);
}

/// The network's parameters, and what its encoders must find again.
inline void add_network(
    SafetensorsWriter& weights, torch::nn::Module& net, const train::Adam::NamedTensors& named
) {
    add_tensors(weights, "net.", named);
    for (const auto& module : net.modules()) {
        if (const auto* encoder = dynamic_cast<const StateEncoderNet*>(module.get())) {
            encoder->save_facts(weights);
        }
    }
}

inline void copy_network(
    const SafetensorsFile& weights, torch::nn::Module& net, const train::Adam::NamedTensors& named
) {
    for (const auto& module : net.modules()) {
        if (const auto* encoder = dynamic_cast<const StateEncoderNet*>(module.get())) {
            encoder->check_facts(weights);
        }
    }
    copy_tensors(weights, "net.", named);
}

/// log P(slate) by Plackett-Luce over the scores, [B]; slates [B, k] int64.
[[nodiscard]] inline at::Tensor slate_log_prob(const at::Tensor& scores, const at::Tensor& slates) {
    auto open = scores;
    at::Tensor sum;
    for (std::int64_t slot = 0; slot < slates.size(1); ++slot) {
        const auto shown = slates.narrow(1, slot, 1);  // [B, 1]
        const auto log_prob = at::log_softmax(open, 1).gather(1, shown).squeeze(1);
        sum = slot == 0 ? log_prob : sum + log_prob;
        if (slot + 1 < slates.size(1)) {
            open = open.scatter(1, shown, -1e9);
        }
    }
    return sum;
}

}  // namespace hg::policy
