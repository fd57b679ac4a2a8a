// SPDX-License-Identifier: Apache-2.0
// FeedbackTensors: a FeedbackTable as dense tensors, one row a decision. Private to this room.
#pragma once

#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_members.hpp"

#include <torch/types.h>

namespace hg::simulate {

/// n decisions, k slots, see MemberShape for the rest.
struct FeedbackTensors {
    at::Tensor items;        // [n_rows, item_size], scaled
    at::Tensor users;        // [n, user_size], scaled
    at::Tensor slot_items;   // [n, k] rows of items
    at::Tensor slot_mask;    // [n, k] 1 = there is such a slot
    at::Tensor clicked;      // [n, k]
    at::Tensor purchased;    // [n, k] of clicked slots
    at::Tensor choice;       // [n] the clicked slot, k = none
    at::Tensor values;       // [n, k] scaled
    at::Tensor value_mask;   // [n, k]
    at::Tensor weight;       // [n]
    at::Tensor tokens;       // [n, token_size]
    at::Tensor counters;     // [n, counter_size] before the decision
    at::Tensor clicks;       // [n, token_size] tokens without values
    at::Tensor products;     // [n, product_size]
    at::Tensor left;         // [n]
    at::Tensor change;       // [n, user_size] of the scaled numbers
    at::Tensor change_mask;  // [n]
};

[[nodiscard]] FeedbackTensors make_feedback_tensors(
    const FeedbackTable& table, const FitPlan& plan
);

}  // namespace hg::simulate
