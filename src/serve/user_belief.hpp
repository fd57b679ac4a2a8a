// SPDX-License-Identifier: Apache-2.0
// user_belief: the one place where the server keeps, updates and tells a user's belief
// (policy/belief.hpp).
//
// The belief lives in the session: made by replay when a session is loaded or a new model is
// published (another space_id), then updated in closed form by each event, in about a microsecond;
// of a user with more than max_history events made again after each, because the oldest leaves.
// Ranking uses this very belief (serve/scoring.hpp); the wishes of the user are in it.
#pragma once

#include "serve/session.hpp"
#include "serve/snapshot.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <span>

namespace hg::serve {

/// Makes or remakes the belief when the session has none in the snapshot's space. Under the
/// session's lock.
void keep_belief(const Snapshot& snapshot, Session& session);

/// By replay: the prior of the user's segment, their wishes, then the events. Nothing when the model
/// has no prior.
[[nodiscard]] std::optional<policy::Belief> make_belief(
    const Snapshot& snapshot, const UserView& user, std::span<const TraitWish> wishes
);

/// One event more. Under the session's lock.
void update_belief(const Snapshot& snapshot, Session& session, const UserEvent& event);

/// {"n_events", "n_liked", "uncertainty", "space", "segment", "traits": [{"field", "name", "preference"}]}. A
/// model without a prior is told by the traits of the history alone. Under the session's lock.
[[nodiscard]] nlohmann::json belief_json(const Snapshot& snapshot, const Session& session);

}  // namespace hg::serve
