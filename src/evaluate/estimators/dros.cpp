// SPDX-License-Identifier: Apache-2.0
// Doubly robust with optimistic shrinkage (Su et al., 2020): w becomes lambda w / (w^2 + lambda).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

#include <cmath>

namespace hg::evaluate {
namespace {

Contributions dros_rows(const LoggedRows& log, double lambda) {
    const auto shrink = [lambda](double w) {
        return std::isinf(lambda) ? w : (lambda * w) / (w * w + lambda);
    };
    return {.base = corrected_predictions(log, {log.q_factual, log.q_policy}, shrink)};
}

}  // namespace

extern const EstimatorEntry dros{
    .name = "dros",
    .summary = "doubly robust, large weights shrunk",
    .needs = Need::weights | Need::q,
    .parameter =
        {.name = "lambda",
         .help = "towards 0: the model alone; infinite: dr",
         .initial = 10,
         .min = 1e-12},
    .rows = &dros_rows,
};

}  // namespace hg::evaluate
