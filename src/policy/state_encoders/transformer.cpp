// SPDX-License-Identifier: Apache-2.0
// Blocks of causal self-attention over the session (Vaswani et al., 2017; pre-norm), read at the last
// token, beside the user's numbers.
//
// What an item was worth is a product of its numbers and its answer, and a token is both side by side:
// one block can only add them up, two can count answers per item.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

struct Block final : torch::nn::Module {
    Block(std::int64_t d, std::int64_t n_heads) : n_heads_(n_heads) {
        before = register_module("before", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d})));
        attend = register_module("attend", torch::nn::Linear(d, 3 * d));
        merge = register_module("merge", torch::nn::Linear(d, d));
        between =
            register_module("between", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d})));
        widen = register_module("widen", torch::nn::Linear(d, 2 * d));
        narrow = register_module("narrow", torch::nn::Linear(2 * d, d));
    }

    /// x [B, L, d], open [B, 1, L, L]
    at::Tensor forward(at::Tensor x, const at::Tensor& open) {
        const auto length = x.size(1);
        const auto d = x.size(2);
        const auto by_head = [&](const at::Tensor& all) {  // [B, L, d] -> [B, heads, L, d / heads]
            return all.view({-1, length, n_heads_, d / n_heads_}).transpose(1, 2);
        };
        const auto qkv = attend->forward(before->forward(x)).chunk(3, 2);
        const auto weights = (at::matmul(by_head(qkv[0]), by_head(qkv[1]).transpose(2, 3)) /
                              std::sqrt(static_cast<double>(d / n_heads_)))
                                 .masked_fill(open.logical_not(), -1e9)
                                 .softmax(3);  // [B, heads, L, L]
        const auto mixed = at::matmul(weights, by_head(qkv[2])).transpose(1, 2).reshape_as(x);
        x = x + merge->forward(mixed);
        return x + narrow->forward(at::gelu(widen->forward(between->forward(x))));
    }

    std::int64_t n_heads_;
    torch::nn::LayerNorm before{nullptr};
    torch::nn::Linear attend{nullptr};
    torch::nn::Linear merge{nullptr};
    torch::nn::LayerNorm between{nullptr};
    torch::nn::Linear widen{nullptr};
    torch::nn::Linear narrow{nullptr};
};

struct TransformerEncoder final : StateEncoderNet {
    explicit TransformerEncoder(const StateEncoderShape& shape) : shape_(shape) {
        const auto d = shape.hidden;
        const auto& options = shape.transformer;
        if (d % options.heads != 0) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("{} heads do not part a width of {} evenly", options.heads, d),
                "set transformer.heads to a divisor of hidden"
            };
        }
        embed = register_module("embed", torch::nn::Linear(shape.token, d));
        place = register_parameter("place", 0.02 * torch::randn({shape.length, d}));
        for (std::int64_t layer = 0; layer < options.layers; ++layer) {
            blocks.push_back(register_module(
                "block" + std::to_string(layer), std::make_shared<Block>(d, options.heads)
            ));
        }
        join = register_module("join", torch::nn::Linear(shape.user_size + d, d));
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        const auto n = users.size(0);
        const auto tokens = sessions.view({n, shape_.length, shape_.token});
        const auto present = tokens.select(2, shape_.token - 1) > 0;  // [B, L]
        const auto causal = at::ones({shape_.length, shape_.length}, at::kBool).tril();
        // The diagonal stays open, so that empty places attend to themselves and no row is empty.
        const auto open =
            ((present.unsqueeze(1) & causal) | at::eye(shape_.length, at::kBool).to(at::kBool))
                .unsqueeze(1);
        auto x = embed->forward(tokens) + place;
        for (const auto& block : blocks) {
            x = block->forward(x, open);
        }
        const auto last =
            x.select(1, shape_.length - 1) * present.select(1, shape_.length - 1).unsqueeze(1);
        return join->forward(at::cat({users, last}, 1)).tanh();
    }

    StateEncoderShape shape_;
    torch::nn::Linear embed{nullptr};
    at::Tensor place;
    std::vector<std::shared_ptr<Block>> blocks;
    torch::nn::Linear join{nullptr};
};

std::shared_ptr<StateEncoderNet> transformer_encoder(const StateEncoderShape& shape) {
    return std::make_shared<TransformerEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry transformer{
    .name = "transformer",
    .summary = "causal self-attention over the session",
    .reads_session = true,
    .make = &transformer_encoder,
};

}  // namespace hg::policy
