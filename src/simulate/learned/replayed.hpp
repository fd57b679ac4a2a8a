// SPDX-License-Identifier: Apache-2.0
// replayed: what the members of a world predict for recorded decisions, each given what really
// happened before it.
//
//   const Replayed seen = replay(model, table, split.test, {0, 1, 2});
#pragma once

#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/world_model.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::simulate {

/// Means over the members asked. Parallel to the decisions and slots of the sequences, in order.
struct Replayed {
    std::vector<std::size_t> decisions;
    std::vector<double> leave;     // by decision
    std::vector<double> click;     // by slot
    std::vector<double> purchase;  // by slot: once it is clicked; empty where the data tell none
    std::vector<double> value;     // by slot: mean of a click, unscaled
};

[[nodiscard]] Replayed replay(
    const WorldModel& model,
    const FeedbackTable& table,
    std::span<const std::uint32_t> sequences,
    std::span<const std::size_t> members
);

}  // namespace hg::simulate
