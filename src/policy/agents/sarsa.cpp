// SPDX-License-Identifier: Apache-2.0
#include "policy/tabular_agent.hpp"

namespace hg::policy {
namespace {

std::unique_ptr<Agent> sarsa_agent(const AgentContext& context, const Settings& settings) {
    return make_tabular_agent(
        "sarsa", context, settings.read<TabularOptions>(), Bootstrap::next_action
    );
}

}  // namespace

extern const AgentEntry sarsa{
    .name = "sarsa",
    .summary = "SARSA (Rummery and Niranjan, 1994): a table of slate values, on-policy",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<TabularOptions>,
    .make = &sarsa_agent,
};

}  // namespace hg::policy
