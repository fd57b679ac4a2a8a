// SPDX-License-Identifier: Apache-2.0
// TabularAgent: a number per (state, slate): Q-learning and SARSA without a network.
//
// States are the world's own where it has few, else the user's numbers cut into bins (state
// aggregation; Sutton and Barto, 2018, section 9.3); actions are all slates of the items, order
// ignored. Worlds with more than 100,000 pairs are refused. The step size is
// learning_rate / n(s, a)^decay, n = visits.
#pragma once

#include "policy/agent.hpp"
#include "policy/scored_agent.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace hg::policy {

struct TabularOptions {
    double discount = 1;
    double learning_rate = 1;
    double learning_rate_decay = 0.7;
    Schedule epsilon{.start = 1, .end = 0.02, .share = 0.8};
    std::int64_t bins = 8;

    static void describe(OptionBinder& bind, TabularOptions& o);
};

enum class Bootstrap : std::uint8_t { best_action, next_action };  // Q-learning, SARSA

[[nodiscard]] std::unique_ptr<Agent> make_tabular_agent(
    std::string_view name,
    const AgentContext& context,
    const TabularOptions& options,
    Bootstrap bootstrap
);

}  // namespace hg::policy
