// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_gradient_net.hpp"

namespace hg::policy {

std::unique_ptr<ActorCritic> make_outer_loop(
    const AgentContext& context, const OuterLoopOptions& options
) {
    const ActorCriticOptions& shared = options;
    if (options.outer == "a2c") {
        return make_a2c(context, shared);
    }
    if (options.outer == "reinforce") {
        return make_reinforce(context, {shared});
    }
    return make_ppo(context, options);
}

}  // namespace hg::policy
