// SPDX-License-Identifier: Apache-2.0
// overlap: can this log judge that policy at all? What the importance weights say before any
// reward is looked at.
//
// Few effective rows, a mean weight away from 1 or one row that outweighs the rest mean that the
// estimate rests on luck. Effective sample size after Kish (1965): (sum w)^2 / sum w^2.
//
//   const auto overlap = measure_overlap(importance_weights(rows));
//   overlap.effective_rows; overlap.mean_weight_z;
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

struct Overlap {
    std::size_t n = 0;
    double effective_rows = 0;
    double mean_weight = 0;  // 1 in expectation, where the log covers the policy
    double mean_weight_error = 0;
    double mean_weight_z = 0;  // (mean_weight - 1) / mean_weight_error; 0 when both are 0
    double largest_weight = 0;
    double largest_share = 0;      // of the sum
    double top_percent_share = 0;  // of the sum, held by the largest 1 % of weights
    double unused_share = 0;       // of rows with weight 0
};

/// Weights are >= 0. `units` as in clustered_mean. O(n).
[[nodiscard]] Overlap measure_overlap(
    std::span<const double> weights, std::span<const std::uint32_t> units = {}
);

/// Per decision: the judged policy's probability of actions whose logged propensity is >= floor.
/// `offsets` [n + 1] cuts the two arrays of all candidates into decisions.
[[nodiscard]] std::vector<double> supported_mass(
    std::span<const std::size_t> offsets,
    std::span<const double> propensities,
    std::span<const double> probabilities,
    double floor = 1e-4
);

}  // namespace hg::evaluate
