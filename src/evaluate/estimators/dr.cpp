// SPDX-License-Identifier: Apache-2.0
// Doubly robust (Dudik, Langford and Li, 2011): mean(E_pi q + min(w, clip) (r - q)).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

#include <algorithm>

namespace hg::evaluate {
namespace {

Contributions dr_rows(const LoggedRows& log, double clip) {
    return {.base = corrected_predictions(log, {log.q_factual, log.q_policy}, [clip](double w) {
                return std::min(w, clip);
            })};
}

}  // namespace

extern const EstimatorEntry dr{
    .name = "dr",
    .summary = "the reward model, its errors corrected by weights; unbiased",
    .needs = Need::weights | Need::q,
    .parameter = {.name = "clip", .help = "no weight counts more"},
    .rows = &dr_rows,
};

}  // namespace hg::evaluate
