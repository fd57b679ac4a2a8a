// SPDX-License-Identifier: Apache-2.0
// A variational autoencoder (Kingma and Welling, 2014) of the session's summary: the state is the
// mean of the code, and its reconstruction and its distance from N(0, I) are charged beside the
// agent's loss. The code is drawn only while gradients are on.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>

namespace hg::policy {
namespace {

constexpr double auxiliary_weight = 0.1;
constexpr double beta = 0.05;  // of the divergence: a code of a few numbers collapses at 1

struct VaeEncoder final : StateEncoderNet {
    explicit VaeEncoder(const StateEncoderShape& shape) : shape_(shape) {
        const auto n_in = summary_size();
        encode = register_module("encode", torch::nn::Linear(n_in, shape.hidden));
        mean = register_module("mean", torch::nn::Linear(shape.hidden, shape.hidden));
        log_variance =
            register_module("log_variance", torch::nn::Linear(shape.hidden, shape.hidden));
        decode = register_module("decode", torch::nn::Linear(shape.hidden, n_in));
    }

    /// The user's numbers, the mean token and the mean token weighted by clicks.
    std::int64_t summary_size() const { return shape_.user_size + 2 * shape_.token; }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        const auto tokens = sessions.view({users.size(0), shape_.length, shape_.token});
        const auto present = tokens.select(2, shape_.token - 1).unsqueeze(2);
        const auto clicked = tokens.select(2, shape_.token - 4).unsqueeze(2);
        const auto mean_of = [&](const at::Tensor& weight) {
            return (tokens * weight).sum(1) / weight.sum(1).clamp_min(1);
        };
        const auto summary = at::cat({users, mean_of(present), mean_of(clicked)}, 1);
        const auto hidden = encode->forward(summary).tanh();
        const auto code = mean->forward(hidden);
        auxiliary_ = at::Tensor{};
        if (at::GradMode::is_enabled()) {
            const auto spread = log_variance->forward(hidden).clamp(-8, 8);
            const auto drawn = code + (0.5 * spread).exp() * at::randn_like(code);
            const auto rebuilt = (decode->forward(drawn) - summary).pow(2).mean();
            const auto divergence = -0.5 * (1 + spread - code.pow(2) - spread.exp()).mean();
            auxiliary_ = auxiliary_weight * (rebuilt + beta * divergence);
        }
        return code.tanh();
    }

    at::Tensor auxiliary_loss() override { return auxiliary_; }

    StateEncoderShape shape_;
    torch::nn::Linear encode{nullptr};
    torch::nn::Linear mean{nullptr};
    torch::nn::Linear log_variance{nullptr};
    torch::nn::Linear decode{nullptr};
    at::Tensor auxiliary_;
};

std::shared_ptr<StateEncoderNet> vae_encoder(const StateEncoderShape& shape) {
    return std::make_shared<VaeEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry vae{
    .name = "vae",
    .summary = "a variational code of what was shown and clicked",
    .reads_session = true,
    .make = &vae_encoder,
};

}  // namespace hg::policy
