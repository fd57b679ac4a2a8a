// SPDX-License-Identifier: Apache-2.0
// Inverse propensity weighting (Horvitz and Thompson, 1952): mean(min(w, clip) r).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

#include <algorithm>

namespace hg::evaluate {
namespace {

Contributions ipw_rows(const LoggedRows& log, double clip) {
    return {.base = weighted_rewards(log, [clip](double w) { return std::min(w, clip); })};
}

}  // namespace

extern const EstimatorEntry ipw{
    .name = "ipw",
    .summary = "weighted rewards; unbiased, wide",
    .needs = Need::weights,
    .parameter = {.name = "clip", .help = "no weight counts more"},
    .rows = &ipw_rows,
};

}  // namespace hg::evaluate
