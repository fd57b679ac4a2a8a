// SPDX-License-Identifier: Apache-2.0
#include "policy/belief_net.hpp"

#include "policy/knob_net.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

constexpr std::int64_t most_rows = 512;  // about so many of a minibatch teach the filters

}  // namespace

BeliefNet::BeliefNet(const AgentContext& context, const NetworkOptions& options)
    : AgentNet(context, options) {
    actor_ = register_module("actor", std::make_shared<BeliefKnobNet>(context, options.hidden));
    base_share = register_parameter("base_share", torch::ones({1}));
    belief_value = register_module("belief_value", torch::nn::Linear(options.hidden, 1));
    const at::NoGradGuard no_grad;
    belief_value->weight.mul_(0.1);
}

AgentNet::Output BeliefNet::forward(const NetInput& in) {
    auto out = AgentNet::forward(in);
    const auto seen = actor_->look(in);
    const auto hidden = actor_->hidden(seen.summary);
    out.scores = base_share * out.scores + BeliefKnobNet::scores(seen, actor_->knobs(hidden));
    out.value = out.value + belief_value->forward(hidden).squeeze(1);
    auxiliary_ = AgentNet::auxiliary_loss();
    if (at::GradMode::is_enabled()) {
        const auto n = in.sessions.size(0);
        const auto loss = actor_->next_answer_loss(
            in.sessions.slice(0, 0, n, std::max<std::int64_t>(1, n / most_rows)).contiguous()
        );
        auxiliary_ = auxiliary_.defined() ? auxiliary_ + loss : loss;
    }
    return out;
}

std::shared_ptr<AgentNet> make_agent_net(
    const AgentContext& context, const NetworkOptions& options
) {
    if (options.head == "belief") {
        return std::make_shared<BeliefNet>(context, options);
    }
    if (options.head == "knobs") {
        return std::make_shared<KnobNet>(context, options);
    }
    return std::make_shared<AgentNet>(context, options);
}

}  // namespace hg::policy
