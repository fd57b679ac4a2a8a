// SPDX-License-Identifier: Apache-2.0
// sequential: the value of a policy over whole episodes, from episodes of another policy.
//
// rho_t = the product of the ratios pi / p up to step t; gamma = discount.
// - per_decision: sum_t gamma^t rho_t r_t (Precup, Sutton and Singh, 2000). Unbiased.
// - per_decision_normalised: sum_t gamma^t (sum_i rho_t r_t / sum_i rho_t) (Thomas, 2015,
//   consistent weighted per-decision). An episode that has ended keeps its last rho and earns 0.
// - doubly_robust: V_t = v(s_t) + ratio_t (r_t + gamma V_{t+1} - q(s_t, a_t)) (Jiang and Li, 2016,
//   eq. 10). Unbiased for any q with v = E_pi q, narrow for a good one.
// Each gives one number per episode whose mean is the estimate, so intervals.hpp applies. Weights
// grow exponentially with the length: look at measure_overlap(episode_weights(...)) first.
//
//   HG_TRY(const auto values, doubly_robust(steps, 0.9));
//   clustered_mean(values).interval(0.95);
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::evaluate {

/// Steps of all episodes, one after the other.
struct EpisodeSteps {
    std::span<const std::size_t> offsets;  // [episodes + 1]; no episode is empty
    std::span<const double> reward;
    std::span<const double> ratio;        // pi(a|s) / propensity, >= 0
    std::span<const double> q_factual{};  // q(s_t, a_t); doubly_robust only
    std::span<const double> v_policy{};   // E_pi q(s_t, .); doubly_robust only
};

[[nodiscard]] Result<std::vector<double>> per_decision(const EpisodeSteps& steps, double discount);

/// Linearised: the mean is the estimate, the spread that of the ratio.
[[nodiscard]] Result<std::vector<double>> per_decision_normalised(
    const EpisodeSteps& steps, double discount
);

[[nodiscard]] Result<std::vector<double>> doubly_robust(const EpisodeSteps& steps, double discount);

/// The product of the ratios of each episode.
[[nodiscard]] Result<std::vector<double>> episode_weights(const EpisodeSteps& steps);

}  // namespace hg::evaluate
