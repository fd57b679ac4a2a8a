// SPDX-License-Identifier: Apache-2.0
// gate_groups: do some users lose although all together do not? The checks of the gate that look at
// groups: few_shot, worst_decile, first_impressions, segments (gate.hpp).
//
// A check fails where the paired interval of one of its groups lies below 0. Intervals of one check
// hold together (Bonferroni: 1 - (1 - level) / groups each), so that a candidate equal to the
// incumbent is not held the more often the more groups are looked at.
#pragma once

#include "evaluate/gate.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::evaluate {

/// The checks of users asked beside the log, added to the record with their groups.
void add_user_checks(GateRecord& record, const GateInput& input);

/// The checks of rows of the log. `differences`: the paired doubly robust ones, one per row; empty
/// where the gate has no predicted rewards.
void add_log_group_checks(
    GateRecord& record, const GateInput& input, std::span<const double> differences
);

}  // namespace hg::evaluate
