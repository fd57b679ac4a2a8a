// SPDX-License-Identifier: Apache-2.0
#include "policy/served_items.hpp"

#include "core/error.hpp"
#include "policy/belief_summary.hpp"

#include <fmt/format.h>

namespace hg::policy {

void check_served_world(const simulate::EnvironmentFacts& world) {
    if (world.user_size == BeliefSummary::names.size() &&
        (world.item_size == plain_item_size || shows_directions(world))) {
        return;
    }
    throw Error{
        ErrorCode::invalid_argument,
        fmt::format(
            "a server's knobs weigh {} numbers of an item and look at {} of a user, this world "
            "shows {} and {}",
            plain_item_size,
            BeliefSummary::names.size(),
            world.item_size,
            world.user_size
        ),
        "take the world of a run: --world served:RUN --set world.data=DIR"
    };
}

}  // namespace hg::policy
