// SPDX-License-Identifier: Apache-2.0
// shuffled: the events of a history in a random order.
//
// Where a dataset says that the order of events means nothing (time = "none"), any order of a user's
// events is as good a question as the one in the file; asking in several makes answers surer.
//
//   const HistoryBuffer other = shuffled(history, rng);
#pragma once

#include "core/rng.hpp"
#include "data/history.hpp"

namespace hg::data {

/// Items, weights, types and values; without times, which would contradict the new order.
[[nodiscard]] HistoryBuffer shuffled(const History& history, Rng& rng);

}  // namespace hg::data
