// SPDX-License-Identifier: Apache-2.0
// transposed: a dataset with items in the place of users, for what treats an item as the one to be
// learned: its history is who rated it, in the order of time where that is real (else times are
// places in the histories of different users, which say nothing).
//
//   const Dataset of_items = transposed(dataset);     // of_items.users are the items
#pragma once

#include "data/dataset.hpp"

namespace hg::data {

/// Events with weights, values, types and times; without what is of users as users: propensities,
/// sessions, attributes of histories. The fields go with their rows.
[[nodiscard]] Dataset transposed(const Dataset& dataset);

}  // namespace hg::data
