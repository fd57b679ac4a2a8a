// SPDX-License-Identifier: Apache-2.0
// Sub-gaussian weighting (Metelli, Russo and Restelli, 2021): w becomes w / (1 - lambda + lambda
// w).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

namespace hg::evaluate {
namespace {

Contributions sgipw_rows(const LoggedRows& log, double lambda) {
    const auto smooth = [lambda](double w) { return w / (1 - lambda + lambda * w); };
    return {.base = weighted_rewards(log, smooth)};
}

}  // namespace

extern const EstimatorEntry sgipw{
    .name = "sgipw",
    .summary = "weighted rewards, weights smoothed to at most 1 / lambda",
    .needs = Need::weights,
    .parameter = {.name = "lambda", .help = "0: ipw", .initial = 0.1, .min = 0, .max = 0.999},
    .rows = &sgipw_rows,
};

}  // namespace hg::evaluate
