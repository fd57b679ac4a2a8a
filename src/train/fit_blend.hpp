// SPDX-License-Identifier: Apache-2.0
// fit_blend_weights: how much to trust each ranker after 0, 1, 2, 5, 10 and 20 events.
//
// For users the rankers were not trained on: show each ranker the first k events, ask for the next
// ten, and climb NDCG@10 coordinate by coordinate over non-negative weights of z-scores, starting
// from the best single ranker. Simple on purpose: six knots x a handful of rankers, thousands of
// users, no gradient to tune.
#pragma once

#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "data/history.hpp"
#include "train/blend.hpp"

#include <span>
#include <vector>

namespace hg::train {

struct BlendWeights {
    Matrix<float> weights;             // [knots, parts]
    std::vector<double> ndcg;          // [knots] of the blend on the held-out users
    Matrix<float> single_ndcg;         // [knots, parts] of each ranker alone
    std::vector<std::size_t> n_users;  // [knots] users with enough events
};

/// `held_out`: full histories of users not in the parts' training data. Knots with fewer than 20
/// users copy the knot before them.
[[nodiscard]] BlendWeights fit_blend_weights(
    const std::vector<Blend::Part>& parts,
    std::span<const data::History> held_out,
    ProgressSink& progress
);

}  // namespace hg::train
