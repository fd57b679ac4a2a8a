// SPDX-License-Identifier: Apache-2.0
// reward_model: what would have come of the candidates that were not shown? Cross-fitted, so that
// no row is predicted by a model that has seen it.
//
// Linear in the features of a candidate (context and item together: the caller crosses them) with
// an intercept: ridge for any reward, logistic for rewards in [0, 1]. Folds are of units (users,
// episodes), drawn by the seed. The penalty counts in rows: l2 = 1 pulls a coefficient as one row
// of its column's mean square would; the intercept is free. With weights = mrdr_weights(...) the
// same fit is MRDR's. Cross-fitting after Chernozhukov et al. (2018).
//
//   HG_TRY(const auto fit, cross_fit(table, policies, {.kind = RewardModelKind::logistic}));
//   rows.q_factual = fit.q_factual;   rows.q_policy = fit.q_policy[0];
#pragma once

#include "core/error.hpp"
#include "core/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

/// Decisions with their candidates; borrowed.
struct DecisionTable {
    std::span<const std::size_t> offsets;   // [n + 1] cuts the candidates into decisions
    MatrixView<const float> features;       // [candidates of all decisions, d]
    std::span<const std::uint32_t> chosen;  // place of the logged action within its decision
    std::span<const double> reward;
    std::span<const std::uint32_t> units{};  // empty = every decision its own

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }
};

enum class RewardModelKind : std::uint8_t { ridge, logistic };

struct RewardModelOptions {
    RewardModelKind kind = RewardModelKind::ridge;
    std::size_t n_folds = 5;
    double l2 = 1;
    std::size_t max_iterations = 30;  // of Newton's method, logistic only
    std::uint64_t seed = 7;
};

struct CrossFit {
    std::vector<double> q_factual{};                  // per decision
    std::vector<std::vector<double>> q_policy{};      // [policy][decision]
    std::vector<std::uint32_t> fold{};                // per decision
    std::vector<std::vector<double>> coefficients{};  // [fold][d + 1], the intercept last
};

/// `policies`: each one's probability of every candidate of every decision. `weights`: one per
/// decision, empty = 1. O(n d^2) and, logistic, that per iteration and fold. Fails when arrays
/// contradict each other, a number is not finite, a fold would be empty, or a logistic reward is
/// outside [0, 1].
[[nodiscard]] Result<CrossFit> cross_fit(
    const DecisionTable& table,
    std::span<const std::vector<double>> policies,
    const RewardModelOptions& options = {},
    std::span<const double> weights = {}
);

}  // namespace hg::evaluate
