// SPDX-License-Identifier: Apache-2.0
// judge: two policies and a log, as the arrays that off-policy estimators and the gate take.
//
// Predicted rewards are cross-fitted regressions over what was seen and shown. Where one item is
// shown every candidate is predicted; where several are, the mean over a policy's slates is taken
// from `sampled_slates` draws of it per decision (unbiased; the draws' noise averages out over the
// log). Slate features: the user's numbers, the mean of the shown items' numbers, and their product
// where there are equally many.
//
//   const auto judged = judge(decisions, std::array<LoggedAgent, 2>{...}, {});
#pragma once

#include "policy/impressions.hpp"
#include "policy/predicted_rewards.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::policy {

struct JudgeOptions {
    std::size_t sampled_slates = 16;
    std::uint64_t seed = 7;
};

[[nodiscard]] Judged judge(
    const LoggedDecisions& log, std::span<const LoggedAgent> policies, const JudgeOptions& options
);

}  // namespace hg::policy
