// SPDX-License-Identifier: Apache-2.0
// Direct method (Beygelzimer and Langford, 2009): mean(E_pi q). As good as its reward model.
#include "evaluate/estimator.hpp"

namespace hg::evaluate {
namespace {

Contributions dm_rows(const LoggedRows& log, double /*parameter*/) {
    return {.base = {log.q_policy.begin(), log.q_policy.end()}};
}

}  // namespace

extern const EstimatorEntry dm{
    .name = "dm",
    .summary = "the reward model alone; narrow, biased as the model is",
    .needs = Need::q,
    .parameter = {},
    .rows = &dm_rows,
};

}  // namespace hg::evaluate
