// SPDX-License-Identifier: Apache-2.0
// feedback_from_log: an impression log as a FeedbackTable.
//
// "state" is the user's numbers, "candidate_features" are the items'; a session is what one user_id
// saw until `ended`, or until their timestamps start over. Exposure weights are 1 / propensity of
// the slate, scaled to mean 1 and clipped (self-normalised inverse propensities), so that what the
// logging policy rarely showed counts as if it had been shown as often as the rest.
//
//   const auto table = feedback_from_log(log, "a.jsonl", {.exposure_clip = 10});
#pragma once

#include "data/impression_log.hpp"
#include "simulate/learned/feedback_table.hpp"

#include <string>

namespace hg::simulate {

struct LogFeedbackOptions {
    double exposure_clip = 10;      // of a weight, in means; 0 = no correction
    std::size_t max_decisions = 0;  // 0 = all; whole sessions are kept
};

/// Throws Error{invalid_argument} for a log without state, candidate_features or clicks.
[[nodiscard]] FeedbackTable feedback_from_log(
    const data::ImpressionLog& log, const std::string& name, const LogFeedbackOptions& options
);

}  // namespace hg::simulate
