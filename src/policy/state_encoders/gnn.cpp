// SPDX-License-Identifier: Apache-2.0
// A graph network over the session (after SR-GNN: Wu et al., 2019): shown items are nodes, joined to
// the one before and after and to items like them; two rounds of gated messages, then a weighted
// mean. Deviation: equal items stay nodes of their own, joined by the likeness of their features.
#include "policy/state_encoder_net.hpp"

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/rnn.h>

namespace hg::policy {
namespace {

constexpr int n_rounds = 2;

struct GnnEncoder final : StateEncoderNet {
    explicit GnnEncoder(const StateEncoderShape& shape) : shape_(shape) {
        const auto d = shape.hidden;
        embed = register_module("embed", torch::nn::Linear(shape.token, d));
        forwards = register_module("forwards", torch::nn::Linear(d, d));
        backwards = register_module("backwards", torch::nn::Linear(d, d));
        alike = register_module("alike", torch::nn::Linear(d, d));
        gate = register_module("gate", torch::nn::GRUCell(3 * d, d));
        weigh = register_module("weigh", torch::nn::Linear(d, 1));
        join = register_module("join", torch::nn::Linear(shape.user_size + d, d));
    }

    at::Tensor forward(const at::Tensor& users, const at::Tensor& sessions) override {
        const auto n = users.size(0);
        const auto length = shape_.length;
        const auto tokens = sessions.view({n, length, shape_.token});
        const auto present = tokens.select(2, shape_.token - 1).unsqueeze(2);  // [B, L, 1]
        const auto next = at::diag_embed(at::ones({length - 1}), 1);           // [L, L]
        const auto likeness = likeness_of(tokens, present);
        auto nodes = embed->forward(tokens).tanh() * present;
        for (int round = 0; round < n_rounds; ++round) {
            const auto messages = at::cat(
                {at::matmul(next, forwards->forward(nodes)),
                 at::matmul(next.t(), backwards->forward(nodes)),
                 at::matmul(likeness, alike->forward(nodes))},
                2
            );
            nodes = gate->forward(
                            messages.reshape({n * length, 3 * shape_.hidden}),
                            nodes.reshape({n * length, shape_.hidden})
                    )
                        .view({n, length, shape_.hidden}) *
                    present;
        }
        const auto weights =
            weigh->forward(nodes).masked_fill(present <= 0, -1e9).softmax(1) * present;
        return join->forward(at::cat({users, (nodes * weights).sum(1)}, 1)).tanh();
    }

    /// Cosine of the items' features above .9, rows normalised. [B, L, L]
    at::Tensor likeness_of(const at::Tensor& tokens, const at::Tensor& present) const {
        const auto items = tokens.narrow(2, 0, shape_.token - 4);
        const auto unit = items / items.norm(2, 2, true).clamp_min(1e-6);
        const auto close = (at::matmul(unit, unit.transpose(1, 2)) > 0.9).to(at::kFloat) * present *
                           present.transpose(1, 2);
        return close / close.sum(2, true).clamp_min(1);
    }

    StateEncoderShape shape_;
    torch::nn::Linear embed{nullptr};
    torch::nn::Linear forwards{nullptr};
    torch::nn::Linear backwards{nullptr};
    torch::nn::Linear alike{nullptr};
    torch::nn::GRUCell gate{nullptr};
    torch::nn::Linear weigh{nullptr};
    torch::nn::Linear join{nullptr};
};

std::shared_ptr<StateEncoderNet> gnn_encoder(const StateEncoderShape& shape) {
    return std::make_shared<GnnEncoder>(shape);
}

}  // namespace

extern const StateEncoderEntry gnn{
    .name = "gnn",
    .summary = "a graph of the session's items: neighbours in time and in kind",
    .reads_session = true,
    .make = &gnn_encoder,
};

}  // namespace hg::policy
