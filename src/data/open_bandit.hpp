// SPDX-License-Identifier: Apache-2.0
// Open Bandit files (ZOZO; Saito et al., 2021) as an impression log, and ours as such a file.
//
// One CSV row is one slot: timestamp, item_id, position (from 1), click, propensity_score, features
// of the user. There a row is a decision of its own and its score is the marginal probability of
// (item, position). What we write has four more columns: pscore_type says what the score is
// (ours: conditional on the slots above), recommendation_id keeps the slots of a slate together,
// user_id and policy. Both forms are read.
//
//   HG_TRY(auto log, read_open_bandit("random_all_all.csv.gz"));
//   write_open_bandit(log, out);
#pragma once

#include "core/error.hpp"
#include "data/impression_log.hpp"

#include <filesystem>
#include <iosfwd>

namespace hg::data {

/// The user's affinities become the state, and the items they are for the candidates; the hashed
/// features of the user, joined, its id; the file's name the policy. The first bad row is the
/// error.
[[nodiscard]] Result<ImpressionLog> read_open_bandit(const std::filesystem::path& path);

/// `click` is clicked, or else the reward. Fails when a slot has neither.
[[nodiscard]] Result<void> write_open_bandit(const ImpressionLog& log, std::ostream& out);

}  // namespace hg::data
