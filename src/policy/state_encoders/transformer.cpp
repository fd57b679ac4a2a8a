// SPDX-License-Identifier: Apache-2.0
// One block of causal self-attention over the session (Vaswani et al., 2017; pre-norm), read at the
// last token, beside the user's numbers.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cmath>

namespace hg::policy {
namespace {

struct TransformerEncoder final : StateEncoderNet {
    explicit TransformerEncoder(const StateEncoderShape& shape) : shape_(shape) {
        const auto d = shape.hidden;
        embed = register_module("embed", torch::nn::Linear(shape.token, d));
        place = register_parameter("place", 0.02 * torch::randn({shape.length, d}));
        before = register_module("before", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d})));
        attend = register_module("attend", torch::nn::Linear(d, 3 * d));
        merge = register_module("merge", torch::nn::Linear(d, d));
        between =
            register_module("between", torch::nn::LayerNorm(torch::nn::LayerNormOptions({d})));
        widen = register_module("widen", torch::nn::Linear(d, 2 * d));
        narrow = register_module("narrow", torch::nn::Linear(2 * d, d));
        join = register_module("join", torch::nn::Linear(shape.user_size + d, d));
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        const auto n = users.size(0);
        const auto tokens = sessions.view({n, shape_.length, shape_.token});
        const auto present = tokens.select(2, shape_.token - 1) > 0;  // [B, L]
        auto x = embed->forward(tokens) + place;
        const auto qkv = attend->forward(before->forward(x)).chunk(3, 2);
        auto weights = at::matmul(qkv[0], qkv[1].transpose(1, 2)) /
                       std::sqrt(static_cast<double>(shape_.hidden));  // [B, L, L]
        const auto causal = at::ones({shape_.length, shape_.length}, at::kBool).tril();
        // The diagonal stays open, so that empty places attend to themselves and no row is empty.
        const auto open =
            (present.unsqueeze(1) & causal) | at::eye(shape_.length, at::kBool).to(at::kBool);
        weights = weights.masked_fill(open.logical_not(), -1e9).softmax(2);
        x = x + merge->forward(at::matmul(weights, qkv[2]));
        x = x + narrow->forward(at::gelu(widen->forward(between->forward(x))));
        const auto last =
            x.select(1, shape_.length - 1) * present.select(1, shape_.length - 1).unsqueeze(1);
        return join->forward(at::cat({users, last}, 1)).tanh();
    }

    StateEncoderShape shape_;
    torch::nn::Linear embed{nullptr};
    at::Tensor place;
    torch::nn::LayerNorm before{nullptr};
    torch::nn::Linear attend{nullptr};
    torch::nn::Linear merge{nullptr};
    torch::nn::LayerNorm between{nullptr};
    torch::nn::Linear widen{nullptr};
    torch::nn::Linear narrow{nullptr};
    torch::nn::Linear join{nullptr};
};

std::shared_ptr<StateEncoderNet> make(const StateEncoderShape& shape) {
    return std::make_shared<TransformerEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry transformer{
    .name = "transformer",
    .summary = "causal self-attention over the session",
    .reads_session = true,
    .make = &make,
};

}  // namespace hg::policy
