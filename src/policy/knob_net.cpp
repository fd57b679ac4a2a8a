// SPDX-License-Identifier: Apache-2.0
#include "policy/knob_net.hpp"

#include "policy/knob_actor.hpp"

#include <fmt/format.h>

namespace hg::policy {
namespace {

constexpr double sharpness = 4;  // standardised scores as logits
constexpr auto n_signals = static_cast<std::int64_t>(n_chosen);

}  // namespace

void check_served_world(const simulate::EnvironmentFacts& world) {
    if (world.user_size != BeliefSummary::names.size() || world.item_size != 1 + n_chosen) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "head=knobs reads {} numbers of a user and {} of an item, this world shows {} and "
                "{}",
                BeliefSummary::names.size(),
                1 + n_chosen,
                world.user_size,
                world.item_size
            ),
            "learn it in the world of a run: --world served:RUN --set world.data=DIR"
        };
    }
}

KnobNet::KnobNet(const AgentContext& context, const NetworkOptions& options)
    : AgentNet(context, options) {
    const auto& world = context.world;
    check_served_world(world);
    const auto z = static_cast<std::int64_t>(world.user_size);
    knob_hidden = register_module("knob_hidden", torch::nn::Linear(z, options.hidden));
    knob_out = register_module("knob_out", torch::nn::Linear(options.hidden, n_signals));
    const at::NoGradGuard no_grad;
    knob_out->weight.mul_(0.1);  // it begins near greed
    knob_out->bias.zero_();
}

at::Tensor KnobNet::knobs(const at::Tensor& summary) {
    return most_chosen * knob_out->forward(knob_hidden->forward(summary).tanh()).tanh();
}

AgentNet::Output KnobNet::forward(const NetInput& in) {
    auto out = AgentNet::forward(in);
    const auto weighted =
        at::matmul(in.items.narrow(2, 1, n_signals), knobs(in.users).unsqueeze(2)).squeeze(2);
    out.scores = sharpness * (in.items.select(2, 0) + weighted);
    return out;
}

}  // namespace hg::policy
