// SPDX-License-Identifier: Apache-2.0
// A gated recurrent unit (Cho et al., 2014) over the session, beside the user's numbers.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>

#include <tuple>

namespace hg::policy {
namespace {

struct GruEncoder final : StateEncoderNet {
    explicit GruEncoder(const StateEncoderShape& shape) : shape_(shape) {
        gru = register_module(
            "gru",
            torch::nn::GRU(torch::nn::GRUOptions(shape.token, shape.hidden).batch_first(true))
        );
        join = register_module(
            "join", torch::nn::Linear(shape.user_size + shape.hidden, shape.hidden)
        );
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        const auto tokens = sessions.view({users.size(0), shape_.length, shape_.token});
        const auto last = std::get<1>(gru->forward(tokens)).squeeze(0);  // [B, hidden]
        return join->forward(at::cat({users, last}, 1)).tanh();
    }

    StateEncoderShape shape_;
    torch::nn::GRU gru{nullptr};
    torch::nn::Linear join{nullptr};
};

std::shared_ptr<StateEncoderNet> gru_encoder(const StateEncoderShape& shape) {
    return std::make_shared<GruEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry gru{
    .name = "gru",
    .summary = "a recurrent network over the session",
    .reads_session = true,
    .make = &gru_encoder,
};

}  // namespace hg::policy
