// SPDX-License-Identifier: Apache-2.0
// The user's numbers alone, through one hidden layer.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>

namespace hg::policy {
namespace {

struct MlpEncoder final : StateEncoderNet {
    explicit MlpEncoder(const StateEncoderShape& shape) {
        first = register_module("first", torch::nn::Linear(shape.user_size, shape.hidden));
        second = register_module("second", torch::nn::Linear(shape.hidden, shape.hidden));
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& /*sessions*/) override {
        return second->forward(first->forward(users).tanh()).tanh();
    }

    torch::nn::Linear first{nullptr};
    torch::nn::Linear second{nullptr};
};

std::shared_ptr<StateEncoderNet> mlp_encoder(const StateEncoderShape& shape) {
    return std::make_shared<MlpEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry mlp{
    .name = "mlp",
    .summary = "the user's numbers through one hidden layer; no session",
    .reads_session = false,
    .make = &mlp_encoder,
};

}  // namespace hg::policy
