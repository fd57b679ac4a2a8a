// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_net.hpp"

#include "policy/knob_actor.hpp"

namespace hg::policy {
namespace {

constexpr double sharpness = 4;  // standardised scores as logits
constexpr double little = -1.5;  // tanh of it is nearly -1: diversity begins near 0

}  // namespace

KnobNet::KnobNet(const AgentContext& context, const NetworkOptions& options)
    : AgentNet(context, options),
      shows_directions_(shows_directions(context.world)),
      among_(diverse_among(context.world)) {
    const auto& world = context.world;
    check_served_world(world);
    const auto n_knobs = signed_size(n_signals) + (shows_directions_ ? 1 : 0);
    const auto z = signed_size(world.user_size);
    knob_hidden = register_module("knob_hidden", torch::nn::Linear(z, options.hidden));
    knob_out = register_module("knob_out", torch::nn::Linear(options.hidden, n_knobs));
    const at::NoGradGuard no_grad;
    knob_out->weight.mul_(0.1);  // it begins near greed
    knob_out->bias.zero_();
    knob_out->bias.slice(0, signed_size(n_signals)).fill_(little);
}

at::Tensor KnobNet::said(const at::Tensor& summary) {
    return knob_out->forward(knob_hidden->forward(summary).tanh()).tanh();
}

AgentNet::Output KnobNet::forward(const NetInput& in) {
    auto out = AgentNet::forward(in);
    constexpr auto n = static_cast<std::int64_t>(n_signals);
    const auto words = said(in.users);
    const auto knobs = most_chosen * words.narrow(1, 0, n);
    auto scores =
        in.items.select(2, 0) + at::matmul(in.items.narrow(2, 1, n), knobs.unsqueeze(2)).squeeze(2);
    if (shows_directions_) {
        scores = diverse_scores(
            scores,
            in.items.slice(2, signed_size(plain_item_size)),
            most_chosen * (1 + words.select(1, n)) / 2,
            among_
        );
    }
    out.scores = sharpness * scores;
    return out;
}

}  // namespace hg::policy
