// SPDX-License-Identifier: Apache-2.0
#include "policy/tabular_agent.hpp"

namespace hg::policy {
namespace {

std::unique_ptr<Agent> q_learning_agent(const AgentContext& context, const Settings& settings) {
    return make_tabular_agent(
        "q_learning", context, settings.read<TabularOptions>(), Bootstrap::best_action
    );
}

}  // namespace

extern const AgentEntry q_learning{
    .name = "q_learning",
    .summary = "Q-learning (Watkins, 1989): a table of slate values, off-policy",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<TabularOptions>,
    .make = &q_learning_agent,
};

}  // namespace hg::policy
