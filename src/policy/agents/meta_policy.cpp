// SPDX-License-Identifier: Apache-2.0
// The meta-policy: a policy gradient over a belief (belief_net.hpp) in a world where every episode is another user:
// it learns how to learn a user within a session. Inner loop: the Gaussian posterior in closed form.
// Outer loop: the prior by predicting next answers, the knobs by PPO (Schulman et al., 2017), or
// by A2C as in VariBAD (Zintgraf et al., 2020), or REINFORCE: option outer.
#include "policy/policy_gradient_net.hpp"

namespace hg::policy {
namespace {

struct MetaPolicyOptions : OuterLoopOptions {
    MetaPolicyOptions() {
        network.head = "belief";
        network.session_length = 50;
        network.hidden = 32;
        network.learning_rate = 3e-3;
        network.discount = 0.95;
        entropy = 0.003;
        rollout = 25;
    }

    static void describe(OptionBinder& bind, MetaPolicyOptions& o) {
        OuterLoopOptions::describe(bind, o);
    }
};

std::unique_ptr<Agent> meta_policy_agent(const AgentContext& context, const Settings& settings) {
    return make_outer_loop(context, settings.read<MetaPolicyOptions>());
}

}  // namespace

extern const AgentEntry meta_policy{
    .name = "meta_policy",
    .summary = "PPO over a Gaussian belief of the session: learns how to learn each user",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<MetaPolicyOptions>,
    .make = &meta_policy_agent,
    .session_tokens = &session_tokens_of<MetaPolicyOptions>,
    .outlives_items = &outlives_items<MetaPolicyOptions>,
};

}  // namespace hg::policy
