// SPDX-License-Identifier: Apache-2.0
// fit_blend_weights: how much to trust each ranker after 0, 1, 2, 5, 10 and 20 events.
//
// For users the rankers were not trained on: show each ranker the first k events, ask for ten
// later ones, and climb NDCG@10 coordinate by coordinate over non-negative weights of z-scores, starting
// from the best single ranker. Simple on purpose: six knots x a handful of rankers, thousands of
// users, no gradient to tune.
//
// Where the order of events means nothing (time = "none"), "the next ten" are any ten of the others:
// each user is asked in several random orders and what is climbed is the expected NDCG, so that
// fewer users decide as surely.
#pragma once

#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "data/history.hpp"
#include "train/blend.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::train {

enum class EventOrder : std::uint8_t { matters, means_nothing };

/// Which events of a held-out user are asked for.
struct BlendTargets {
    EventOrder order = EventOrder::matters;
    /// None of the first so many: 0 asks for what comes next, 10 for the same ten events after 0
    /// and after 10 known ones. Users with no more events than that are left out where at least
    /// 100 others decide, and else asked for their last ten; where order means nothing this does
    /// not count.
    std::size_t after = 0;
};

/// Parts, and users who are not in their training data. Several trials, each of other users, make
/// every user of a small log a judge (cross-fitting).
struct BlendTrial {
    std::vector<Blend::Part> parts;       // the same names in every trial
    std::vector<data::History> held_out;  // whole histories, borrowed
};

struct BlendWeights {
    Matrix<float> weights;             // [knots, parts]
    std::vector<double> ndcg;          // [knots] of the blend on the held-out users
    Matrix<float> single_ndcg;         // [knots, parts] of each ranker alone
    std::vector<std::size_t> n_users;  // [knots] users with enough events
};

/// Knots with fewer than 20 users copy the knot before them. With no event known, a part named
/// "popularity" is left alone unless a blend is better by more than chance (one-sided, 95 %).
/// rng: of the random orders.
[[nodiscard]] BlendWeights fit_blend_weights(
    std::span<const BlendTrial> trials,
    const BlendTargets& targets,
    const Rng& rng,
    ProgressSink& progress
);

}  // namespace hg::train
