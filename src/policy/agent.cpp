// SPDX-License-Identifier: Apache-2.0
#include "policy/agent.hpp"

#include "core/registry.hpp"
#include "policy/served_items.hpp"

#include <fmt/format.h>

#include <array>

namespace hg::policy {

#define HG_AGENT(name) extern const AgentEntry name;
#include "policy/agents/builtin.def"
#undef HG_AGENT

namespace {

constexpr std::array table{
#define HG_AGENT(name) &name,
#include "policy/agents/builtin.def"
#undef HG_AGENT
};

void refuse(bool wrong, std::string_view agent, std::string_view why, std::string_view next) {
    if (wrong) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("agent {} does not fit this world: {}", agent, why),
            std::string{next}
        };
    }
}

}  // namespace

std::span<const AgentEntry* const> agents() {
    return table;
}

const AgentEntry& find_agent(std::string_view name) {
    return find_entry<AgentEntry>(agents(), name, "agent");
}

std::unique_ptr<Agent> make_agent(
    const AgentEntry& entry, const AgentContext& context, const Settings& settings
) {
    const auto& world = context.world;
    refuse(
        has(entry.facts, AgentFact::needs_item_ids) && world.n_items == 0,
        entry.name,
        "it keeps a number per item, and the items here are new at every step",
        "use an agent that looks at features: lin_ucb, square_cb, dqn, ppo, ..."
    );
    refuse(
        has(entry.facts, AgentFact::needs_one_slot) && world.slate_size != 1,
        entry.name,
        fmt::format("it chooses one item and {} are shown", world.slate_size),
        "use slate_q, reinforce or ppo, or set slate_size=1"
    );
    if (has(entry.facts, AgentFact::needs_signals)) {
        check_served_world(world);
    }
    return entry.make(context, settings);
}

ObservationBatch observe(
    const simulate::EnvironmentBatch& batch, MatrixView<const float> sessions
) {
    return {
        .users = batch.users(),
        .items = batch.items(),
        .item_ids = batch.item_ids(),
        .states = batch.states(),
        .sessions = sessions,
    };
}

}  // namespace hg::policy
