// SPDX-License-Identifier: Apache-2.0
// The two row forms estimators are made of: a weighted reward, and a prediction plus its weighted
// error. Each estimator only says what it does to the weight.
#pragma once

#include "evaluate/estimator.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::evaluate {

/// A prediction of the reward: of the logged action and of the judged policy.
struct Prediction {
    std::span<const double> factual;
    std::span<const double> policy;
};

/// f(w) r
template <typename Reweigh>
[[nodiscard]] std::vector<double> weighted_rewards(const LoggedRows& log, Reweigh reweigh) {
    auto rows = importance_weights(log);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = reweigh(rows[i]) * log.reward[i];
    }
    return rows;
}

/// q_policy + f(w) (r - q_factual)
template <typename Reweigh>
[[nodiscard]] std::vector<double> corrected_predictions(
    const LoggedRows& log, Prediction q, Reweigh reweigh
) {
    auto rows = importance_weights(log);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = q.policy[i] + reweigh(rows[i]) * (log.reward[i] - q.factual[i]);
    }
    return rows;
}

}  // namespace hg::evaluate
