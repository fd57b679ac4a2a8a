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
// of every other.
#pragma once

#include "policy/agent.hpp"
#include "policy/network_options.hpp"
#include "policy/state_encoder_net.hpp"
#include "train/adam.hpp"
#include "encode/tensor_io.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::policy {

/// Inputs of a network: owned or borrowed tensors.
struct NetInput {
    at::Tensor users;     // [B, user_size]
    at::Tensor items;     // [B, n, item_size]
    at::Tensor sessions;  // [B, session_size]

    [[nodiscard]] NetInput rows(const at::Tensor& index) const {
        return {
            users.index_select(0, index),
            items.index_select(0, index),
            sessions.index_select(0, index)
        };
    }
};

/// Borrows the batch's memory: clone what is kept.
[[nodiscard]] inline NetInput borrow(const ObservationBatch& seen, std::size_t n_candidates) {
    const auto wrap = [](MatrixView<const float> m, at::IntArrayRef shape) {
        // from_blob takes mutable memory but nothing here writes to it.
        auto* data = const_cast<float*>(m.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
        return m.empty() ? at::zeros(shape) : at::from_blob(data, shape, at::kFloat);
    };
    const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    const auto b = size(seen.size());
    return {
        .users = wrap(seen.users, {b, size(seen.users.cols())}),
        .items = wrap(seen.items, {b, size(n_candidates), size(seen.items.cols())}),
        .sessions = wrap(seen.sessions, {b, size(seen.sessions.cols())}),
    };
}

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
[[nodiscard]] inline AgentContext with_trunk(AgentContext context, const NetworkOptions& options) {
    const auto& entry = find_state_encoder(options.encoder);
    if (context.trunk == nullptr && entry.load_trunk != nullptr) {
        context.trunk = entry.load_trunk(options.bert);
    }
    return context;
}

/// Blocks of the user's numbers as wide as an item's.
[[nodiscard]] inline std::int64_t product_count(const simulate::EnvironmentFacts& world) {
    return world.item_size > 0 ? static_cast<std::int64_t>(world.user_size / world.item_size) : 0;
}

/// Dot products of every item with those blocks: [B, n, n_products].
[[nodiscard]] inline at::Tensor item_products(const NetInput& in, std::int64_t n_products) {
    const auto width = in.items.size(2);
    const auto blocks =
        in.users.narrow(1, 0, n_products * width).reshape({in.users.size(0), n_products, width});
    return at::matmul(in.items, blocks.transpose(1, 2));
}

struct AgentNet : torch::nn::Module {
    AgentNet(const AgentContext& context, const NetworkOptions& options) {
        const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
        const auto d = options.hidden;
        const auto token = size(context.world.item_size) + 4;  // SessionTokens::token_size
        texts = context.world.item_texts;
        encoder = register_module(
            "encoder",
            find_state_encoder(options.encoder)
                .make(
                    {.user_size = size(context.world.user_size),
                     .length = size(context.session_size) / token,
                     .token = token,
                     .hidden = d,
                     .item_texts = texts.get(),
                     .trunk = with_trunk(context, options).trunk,
                     .bert = options.bert,
                     .transformer = options.transformer}
                )
        );
        const auto width = size(context.world.item_size);
        n_products = options.products ? product_count(context.world) : 0;
        const auto n_item = width + encoder->item_vector_size() + n_products;
        query = register_module("query", torch::nn::Linear(d, d));
        key = register_module("key", torch::nn::Linear(n_item, d));
        bias = register_module("bias", torch::nn::Linear(n_item, 1));
        value_hidden = register_module("value_hidden", torch::nn::Linear(2 * d, d));
        value_out = register_module("value_out", torch::nn::Linear(d, 1));
        if (n_products > 0) {
            bias_hidden = register_module("bias_hidden", torch::nn::Linear(n_item, d));
            bias_out = register_module("bias_out", torch::nn::Linear(d, 1));
        }
        const at::NoGradGuard no_grad;
        // Small first scores: the first policy is nearly uniform.
        query->weight.mul_(0.1);
        bias->weight.mul_(0.1);
        value_out->weight.mul_(0.1);
        if (n_products > 0) {
            bias_out->weight.mul_(0.1);
        }
    }

    struct Output {
        at::Tensor scores;  // [B, n]
        at::Tensor value;   // [B]
    };

    virtual Output forward(const NetInput& in) {
        const auto state = encoder->forward(in.users, in.sessions);  // [B, d]
        const auto items = describe(in);                             // [B, n, n_item]
        const auto keys = key->forward(items);                       // [B, n, d]
        const double scale = 1 / std::sqrt(static_cast<double>(state.size(1)));
        const auto dot = at::matmul(keys, query->forward(state).unsqueeze(2)).squeeze(2) * scale;
        const auto hidden = value_hidden->forward(at::cat({state, keys.mean(1)}, 1)).tanh();
        auto alone = bias->forward(items);  // [B, n, 1]
        if (n_products > 0) {
            alone = alone + bias_out->forward(bias_hidden->forward(items).tanh());
        }
        return {
            .scores = dot + alone.squeeze(2),
            .value = value_out->forward(hidden).squeeze(1),
        };
    }

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

    [[nodiscard]] at::Tensor describe(const NetInput& in) {
        std::vector<at::Tensor> parts{in.items};
        if (encoder->item_vector_size() > 0) {
            parts.push_back(encoder->item_vectors(in.items));
        }
        if (n_products > 0) {
            parts.push_back(item_products(in, n_products));
        }
        return parts.size() == 1 ? in.items : at::cat(parts, 2);
    }

    [[nodiscard]] train::Adam::NamedTensors named() const {
        train::Adam::NamedTensors all;
        for (const auto& parameter : named_parameters()) {
            all.emplace_back(parameter.key(), parameter.value());
        }
        return all;
    }

    std::shared_ptr<const simulate::ItemTexts> texts;
    std::shared_ptr<StateEncoderNet> encoder;
    torch::nn::Linear query{nullptr};
    torch::nn::Linear key{nullptr};
    torch::nn::Linear bias{nullptr};
    torch::nn::Linear value_hidden{nullptr};
    torch::nn::Linear value_out{nullptr};
    std::int64_t n_products = 0;  // the others only with products
    torch::nn::Linear bias_hidden{nullptr};
    torch::nn::Linear bias_out{nullptr};
};

/// Seeds torch's generator, which initialises modules.
inline void seed_torch(Rng rng) {
    at::manual_seed(rng());
}

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
