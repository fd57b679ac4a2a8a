// SPDX-License-Identifier: Apache-2.0
// PolicyProbabilities: what a policy to be judged would have done on a log: its probability of each
// logged action, aligned with the log.
//
// JSON lines, one decision a line, matched by recommendation_id, or by order where no line has one:
//   {"recommendation_id": "r1", "probabilities": {"50": 0.4, "172": 0.1}}    by item
//   {"recommendation_id": "r1", "probabilities": [0.4, 0.1]}                  by slot
// with, for the doubly robust estimators and the gate, "q_factual", "q_policy" and
// "supported_mass". A slot's probability is, as in the log, given the slots above it.
//
//   HG_TRY(auto candidate, read_policy_probabilities("probabilities.jsonl", log));
//   candidate.slate;                                   // one per decision, for LoggedRows
#pragma once

#include "core/error.hpp"
#include "data/impression_log.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace hg::data {

struct PolicyProbabilities {
    std::vector<double> slate;  // per decision: the product of its slots'
    std::vector<double> slot;   // per slot, parallel to log.slots.values
    // Per decision; empty when no line has the key. All lines or none.
    std::vector<double> q_factual;
    std::vector<double> q_policy;
    std::vector<double> supported_mass;
};

/// Fails, naming the line, when a probability is not in [0, 1], a logged item has none, a decision
/// of the log has no line or two, or only some lines have a key.
[[nodiscard]] Result<PolicyProbabilities> read_policy_probabilities(
    const std::filesystem::path& path, const ImpressionLog& log
);

/// The same from text; `name` stands for the file in messages.
[[nodiscard]] Result<PolicyProbabilities> parse_policy_probabilities(
    std::string_view text, std::string_view name, const ImpressionLog& log
);

}  // namespace hg::data
