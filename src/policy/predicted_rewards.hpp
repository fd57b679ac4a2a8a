// SPDX-License-Identifier: Apache-2.0
// predicted_rewards: what would have come of actions that were not logged, cross-fitted, for every
// policy that is judged: q of the estimators and of the gate.
//
// The model is linear in an action's features, so an action may also be the mean of many: one row
// with the expected features of a policy's slates stands for all of them.
//
//   predict_rewards(judged, actions, {.reward = r, .propensity = p, .units = u, .seed = 7});
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::policy {

/// Of one policy, one entry per decision.
struct JudgedPolicy {
    std::vector<double> probability{};  // of the logged slate
    std::vector<double> q_policy{};
    std::vector<double> mrdr_q_policy{};
    std::vector<double> supported_mass{};  // empty: unknown
};

struct Judged {
    std::vector<double> q_factual{};
    std::vector<double> mrdr_q_factual{};  // fitted for policies[0]
    std::vector<JudgedPolicy> policies{};
};

/// The actions of all decisions, the logged one first, then those that stand for the policies.
struct JudgedActions {
    std::vector<std::size_t> offsets{0};  // cuts them into decisions
    std::vector<float> features{};        // [actions, dim]
    std::size_t dim = 0;
    std::vector<std::vector<double>> probabilities{};  // [policy][action]
};

struct LoggedRewards {
    std::span<const double> reward;
    std::span<const double> propensity;
    std::span<const std::uint32_t> units;
    std::uint64_t seed = 7;
};

/// Fills every q of `judged`, whose probabilities are there already. Throws Error.
void predict_rewards(Judged& judged, const JudgedActions& actions, const LoggedRewards& log);

}  // namespace hg::policy
