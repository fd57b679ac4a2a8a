// SPDX-License-Identifier: Apache-2.0
// feedback_from_dataset: a dataset (who did what, but not what was shown) as a FeedbackTable.
//
// Every liked event is a decision: the item taken against `negatives` items drawn by
// popularity^power among those the user did not have (in the data at that moment nothing says what
// was not wanted: missing not at random; cf. Mikolov et al., 2013, for the power). Items are their
// leading right singular vectors over the training users, scaled to unit length, log popularity and
// the catalogue's numbers (price, year); users are HistoryProfile numbers, a known function of what
// they did. A session ends where the next event has another session_id, between events without one
// at long pauses where time is real; else nobody is seen leaving. A liked event of a type that
// dataset.toml calls a purchase is a click that went further, any other a click. Users are drawn
// whole until max_decisions; only their last events are used.
//
//   const auto table = feedback_from_dataset(dataset, options, Rng{seed}, progress, stop);
#pragma once

#include "core/progress.hpp"
#include "core/rng.hpp"
#include "data/dataset.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_world.hpp"

#include <stop_token>

namespace hg::simulate {

/// Throws Error{invalid_argument} for a dataset without events. The users that split_of() holds out
/// have no part in the items' vectors and popularity.
[[nodiscard]] FeedbackTable feedback_from_dataset(
    const data::Dataset& dataset,
    const WorldFitOptions& options,
    std::uint64_t seed,
    ProgressSink& progress,
    const std::stop_token& stop
);

}  // namespace hg::simulate
