// SPDX-License-Identifier: Apache-2.0
// The direct method with the reward model of mrdr.
#include "evaluate/estimator.hpp"

namespace hg::evaluate {
namespace {

Contributions dm_mrdr_rows(const LoggedRows& log, double /*parameter*/) {
    return {.base = {log.mrdr_q_policy.begin(), log.mrdr_q_policy.end()}};
}

}  // namespace

extern const EstimatorEntry dm_mrdr{
    .name = "dm_mrdr",
    .summary = "the reward model of mrdr alone",
    .needs = Need::mrdr_q,
    .parameter = {},
    .rows = &dm_mrdr_rows,
};

}  // namespace hg::evaluate
