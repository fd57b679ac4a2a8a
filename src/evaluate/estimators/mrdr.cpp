// SPDX-License-Identifier: Apache-2.0
// More robust doubly robust (Farajtabar, Chow and Ghavamzadeh, 2018): dr whose reward model was
// fitted to minimise the variance of dr (mrdr_weights).
#include "evaluate/estimator.hpp"
#include "evaluate/weighted_rows.hpp"

namespace hg::evaluate {
namespace {

Contributions mrdr_rows(const LoggedRows& log, double /*parameter*/) {
    return {
        .base = corrected_predictions(
            log, {log.mrdr_q_factual, log.mrdr_q_policy}, [](double w) { return w; }
        )
    };
}

}  // namespace

extern const EstimatorEntry mrdr{
    .name = "mrdr",
    .summary = "doubly robust with a reward model fitted for it",
    .needs = Need::weights | Need::mrdr_q,
    .parameter = {},
    .rows = &mrdr_rows,
};

}  // namespace hg::evaluate
