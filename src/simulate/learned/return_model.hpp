// SPDX-License-Identifier: Apache-2.0
// return_model: when a user comes back: ridge of log hours on the numbers of the user who left, and
// the quantiles of what it is off by.
//
//   const ReturnModel returns = fit_returns(table, scaling, decisions);   // empty: not told
#pragma once

#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/world_model.hpp"

#include <cstddef>
#include <vector>

namespace hg::simulate {

[[nodiscard]] ReturnModel fit_returns(
    const FeedbackTable& table, const Scaling& users, const std::vector<std::size_t>& decisions
);

}  // namespace hg::simulate
