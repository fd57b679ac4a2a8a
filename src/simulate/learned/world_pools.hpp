// SPDX-License-Identifier: Apache-2.0
// world_pools: what a world takes from its data beside the members: scaling, starts, candidate
// sets, the reward of the log, the time until users return.
//
//   WorldModel model = make_world_pools(table, split, options, rng);    // without members
#pragma once

#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_world.hpp"
#include "simulate/learned/world_model.hpp"

namespace hg::simulate {

[[nodiscard]] WorldModel make_world_pools(
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const WorldFitOptions& options,
    const Rng& rng
);

}  // namespace hg::simulate
