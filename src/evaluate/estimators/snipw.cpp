// SPDX-License-Identifier: Apache-2.0
// Self-normalised inverse propensity weighting (Swaminathan and Joachims, 2015): mean(w r) /
// mean(w).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

#include <vector>

namespace hg::evaluate {
namespace {

Contributions snipw_rows(const LoggedRows& log, double /*parameter*/) {
    return {
        .base = std::vector<double>(log.size()),
        .numerator = weighted_rewards(log, [](double w) { return w; }),
        .denominator = importance_weights(log),
    };
}

}  // namespace

extern const EstimatorEntry snipw{
    .name = "snipw",
    .summary = "weighted rewards by the sum of weights; stays in the range of rewards",
    .needs = Need::weights,
    .parameter = {},
    .rows = &snipw_rows,
};

}  // namespace hg::evaluate
