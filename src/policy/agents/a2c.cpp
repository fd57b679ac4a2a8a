// SPDX-License-Identifier: Apache-2.0
// Advantage actor-critic, synchronous (Mnih et al., 2016, without the workers).
#include "policy/policy_gradient_net.hpp"

namespace hg::policy {
namespace {

class A2cAgent final : public ActorCritic {
  public:
    using ActorCritic::ActorCritic;

  protected:
    void update(const Rollout& rollout, Rng& /*rng*/, const MetricSink& log) override {
        const auto loss = advantage_loss(rollout);
        descend(loss);
        log("loss", loss.item<double>());
    }
};

struct A2cOptions : ActorCriticOptions {
    A2cOptions() { rollout = 8; }

    static void describe(OptionBinder& bind, A2cOptions& o) {
        ActorCriticOptions::describe(bind, o);
    }
};

std::unique_ptr<Agent> a2c_agent(const AgentContext& context, const Settings& settings) {
    return make_a2c(context, settings.read<A2cOptions>());
}

}  // namespace

std::unique_ptr<ActorCritic> make_a2c(
    const AgentContext& context, const ActorCriticOptions& options
) {
    return std::make_unique<A2cAgent>(context, options);
}

extern const AgentEntry a2c{
    .name = "a2c",
    .summary = "advantage actor-critic: one policy gradient per short rollout",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<A2cOptions>,
    .make = &a2c_agent,
    .session_tokens = &session_tokens_of<A2cOptions>,
    .outlives_items = &outlives_items<A2cOptions>,
};

}  // namespace hg::policy
