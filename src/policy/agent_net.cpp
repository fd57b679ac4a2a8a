// SPDX-License-Identifier: Apache-2.0
#include "policy/agent_net.hpp"

#include "policy/session_tokens.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

void check_embedding(const simulate::EnvironmentFacts& world, const NetworkOptions& options) {
    if (options.item_embedding == 0) {
        return;
    }
    if (world.n_items == 0) {
        throw Error{
            ErrorCode::invalid_argument,
            "item_embedding learns numbers of items, and those of this world do not outlive a step",
            "set item_embedding=0",
        };
    }
    if (options.encoder == "bert") {
        throw Error{
            ErrorCode::invalid_argument,
            "item_embedding: encoder bert reads the texts of items, not their numbers",
            "set item_embedding=0, or take another encoder",
        };
    }
}

}  // namespace

AgentContext with_trunk(AgentContext context, const NetworkOptions& options) {
    const auto& entry = find_state_encoder(options.encoder);
    if (context.trunk == nullptr && entry.load_trunk != nullptr) {
        context.trunk = entry.load_trunk(options.bert);
    }
    return context;
}

AgentNet::AgentNet(const AgentContext& context, const NetworkOptions& options)
    : texts(context.world.item_texts),
      length(signed_size(context.session_size / SessionTokens::token_size(context.world))) {
    check_embedding(context.world, options);
    const auto d = options.hidden;
    const auto width = signed_size(context.world.item_size) + options.item_embedding;
    encoder = register_module(
        "encoder",
        find_state_encoder(options.encoder)
            .make(
                {.user_size = signed_size(context.world.user_size),
                 .length = length,
                 .token = width + signed_size(SessionTokens::n_marks),
                 .hidden = d,
                 .item_texts = texts.get(),
                 .trunk = with_trunk(context, options).trunk,
                 .bert = options.bert,
                 .transformer = options.transformer}
            )
    );
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
    if (options.item_embedding > 0) {
        const auto n_items = signed_size(context.world.n_items);
        item_embedding = register_parameter(
            "item_embedding", 0.1 * torch::randn({n_items, options.item_embedding})
        );
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

AgentNet::Output AgentNet::forward(const NetInput& in) {
    const auto state = encoder->forward(in.users, describe_sessions(in.sessions));  // [B, d]
    const auto items = describe_items(in);  // [B, n, n_item]
    const auto keys = key->forward(items);  // [B, n, d]
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

train::Adam::NamedTensors AgentNet::named() const {
    return named_of(*this);
}

at::Tensor AgentNet::describe_items(const NetInput& in) {
    std::vector<at::Tensor> parts{in.items};
    if (item_embedding.defined()) {
        parts.push_back(embed(in.item_ids));
    }
    if (encoder->item_vector_size() > 0) {
        parts.push_back(encoder->item_vectors(in.items));
    }
    if (n_products > 0) {
        parts.push_back(item_products(in, n_products));
    }
    return parts.size() == 1 ? in.items : at::cat(parts, 2);
}

at::Tensor AgentNet::describe_sessions(const at::Tensor& sessions) const {
    auto tokens = answers_of(sessions, length);
    if (item_embedding.defined()) {
        const auto width = tokens.size(2) - signed_size(SessionTokens::n_marks);
        const auto learned =
            embed(session_item_ids(sessions, length)) * present_of(tokens).unsqueeze(2);
        tokens = at::cat({tokens.narrow(2, 0, width), learned, tokens.slice(2, width)}, 2);
    }
    return tokens.reshape({tokens.size(0), tokens.size(1) * tokens.size(2)});
}

at::Tensor AgentNet::embed(const at::Tensor& ids) const {
    const auto largest = ids.numel() > 0 ? ids.max().item<std::int64_t>() : 0;
    if (largest >= item_embedding.size(0)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "item {} is none of the {} this agent was learned with",
                largest,
                item_embedding.size(0)
            ),
            "learn it in this world, or with item_embedding=0",
        };
    }
    return at::embedding(item_embedding, ids);
}

}  // namespace hg::policy
