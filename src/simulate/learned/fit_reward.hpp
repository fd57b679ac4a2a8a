// SPDX-License-Identifier: Apache-2.0
// fit_reward: logged rewards -> the tensors of a LearnedReward.
//
//   fit_reward(RewardKind::rnn, rows, split, rng, weights, stop);
#pragma once

#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "simulate/learned/feedback_table.hpp"
#include "simulate/learned/fit_members.hpp"
#include "simulate/learned/learned_reward.hpp"

#include <stop_token>
#include <vector>

namespace hg::simulate {

struct RewardFit {
    RewardKind kind = RewardKind::features;
    double rmse = 0;       // on the validation sequences
    double base_rmse = 0;  // of the mean
};

/// Adds tensors reward.KIND.* to `weights`. Throws Error{interrupted} on a stop request.
RewardFit fit_reward(
    RewardKind kind,
    const FeedbackTable& table,
    const FeedbackSplit& split,
    const FitPlan& plan,
    SafetensorsWriter& weights,
    const std::stop_token& stop
);

}  // namespace hg::simulate
