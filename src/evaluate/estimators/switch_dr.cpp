// SPDX-License-Identifier: Apache-2.0
// Switch doubly robust (Wang, Agarwal and Dudik, 2017): the correction only where w <= lambda.
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

#include <algorithm>

namespace hg::evaluate {
namespace {

Contributions switch_dr_rows(const LoggedRows& log, double lambda) {
    return {.base = corrected_predictions(log, {log.q_factual, log.q_policy}, [lambda](double w) {
                return w <= lambda ? w : 0.0;
            })};
}

}  // namespace

extern const EstimatorEntry switch_dr{
    .name = "switch_dr",
    .summary = "doubly robust, rows with large weights left to the model",
    .needs = Need::weights | Need::q,
    .parameter = {.name = "lambda", .help = "the largest weight that counts", .initial = 10},
    .rows = &switch_dr_rows,
};

}  // namespace hg::evaluate
