// SPDX-License-Identifier: Apache-2.0
// Self-normalised doubly robust (Thomas and Brunskill, 2016): mean(E_pi q) + mean(w (r - q)) /
// mean(w).
#include "evaluate/estimator.hpp"

#include <cstddef>
#include <utility>

namespace hg::evaluate {
namespace {

Contributions sndr_rows(const LoggedRows& log, double /*parameter*/) {
    auto errors = importance_weights(log);
    for (std::size_t i = 0; i < errors.size(); ++i) {
        errors[i] *= log.reward[i] - log.q_factual[i];
    }
    return {
        .base = {log.q_policy.begin(), log.q_policy.end()},
        .numerator = std::move(errors),
        .denominator = importance_weights(log),
    };
}

}  // namespace

extern const EstimatorEntry sndr{
    .name = "sndr",
    .summary = "doubly robust with normalised weights",
    .needs = Need::weights | Need::q,
    .parameter = {},
    .rows = &sndr_rows,
};

}  // namespace hg::evaluate
