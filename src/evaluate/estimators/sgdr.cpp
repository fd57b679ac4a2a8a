// SPDX-License-Identifier: Apache-2.0
// Doubly robust with sub-gaussian weights (Metelli, Russo and Restelli, 2021).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

namespace hg::evaluate {
namespace {

Contributions sgdr_rows(const LoggedRows& log, double lambda) {
    const auto smooth = [lambda](double w) { return w / (1 - lambda + lambda * w); };
    return {.base = corrected_predictions(log, {log.q_factual, log.q_policy}, smooth)};
}

}  // namespace

extern const EstimatorEntry sgdr{
    .name = "sgdr",
    .summary = "doubly robust, weights smoothed to at most 1 / lambda",
    .needs = Need::weights | Need::q,
    .parameter = {.name = "lambda", .help = "0: dr", .initial = 0.1, .min = 0, .max = 0.999},
    .rows = &sgdr_rows,
};

}  // namespace hg::evaluate
