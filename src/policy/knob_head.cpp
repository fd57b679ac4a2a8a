// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_actor.hpp"
#include "policy/knob_head_net.hpp"

namespace hg::policy {
namespace {

constexpr double sharpness = 4;  // standardised scores as logits
constexpr double little = -1.5;  // tanh of it is nearly -1: diversity begins near 0

}  // namespace

KnobHead::KnobHead(const simulate::EnvironmentFacts& world, std::int64_t width)
    : shows_directions_(shows_directions(world)), among_(diverse_among(world)) {
    check_served_world(world);
    const auto n_knobs = signed_size(n_signals) + (shows_directions_ ? 1 : 0);
    hidden = torch::nn::Linear(signed_size(world.user_size), width);
    out = torch::nn::Linear(width, n_knobs);
    const at::NoGradGuard no_grad;
    out->weight.mul_(0.1);
    out->bias.zero_();
    out->bias.slice(0, signed_size(n_signals)).fill_(little);
}

at::Tensor KnobHead::scores(const NetInput& in) {
    constexpr auto n = static_cast<std::int64_t>(n_signals);
    const auto said = out->forward(hidden->forward(in.users).tanh()).tanh();
    const auto knobs = most_chosen * said.narrow(1, 0, n);
    auto scores =
        in.items.select(2, 0) + at::matmul(in.items.narrow(2, 1, n), knobs.unsqueeze(2)).squeeze(2);
    if (shows_directions_) {
        scores = diverse_scores(
            scores,
            in.items.slice(2, signed_size(plain_item_size)),
            most_chosen * (1 + said.select(1, n)) / 2,
            among_
        );
    }
    return sharpness * scores;
}

}  // namespace hg::policy
