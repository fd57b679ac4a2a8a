// SPDX-License-Identifier: Apache-2.0
// slate_text: a slate and what it was drawn from as JSON text, written at once: as a tree of JSON
// values it would be a fifth of the work of a request whose scores are kept.
//
//   reply(json_of({.slots = slate.slots, .reasons = reasons, ..., .items = items.read()}));
#pragma once

#include "core/top_k.hpp"
#include "policy/policy_model.hpp"
#include "serve/item_table.hpp"
#include "serve/reasons.hpp"

#include <span>
#include <string>

namespace hg::serve {

/// What an impression says of the pool of its slate.
struct CandidatesText {
    std::string candidates;  // [[item_id, score], ...], best first; the shortest digits of a score
    std::string digest;      // of it
};

[[nodiscard]] CandidatesText text_of(const ItemTable::Read& items, std::span<const Scored> pool);

/// Borrows everything.
struct SlateText {
    std::span<const policy::Slot> slots;
    std::span<const Reason> reasons;  // of each slot
    const std::string& model;
    const std::string& policy;
    const std::string& recommendation_id;
    ItemTable::Read items;
};

/// As of the schema Recommendation.
[[nodiscard]] std::string json_of(const SlateText& slate);

}  // namespace hg::serve
