// SPDX-License-Identifier: Apache-2.0
// scoring: a user's events -> the best items of the whole table, those the model never saw
// included.
//
// An item that arrived after the fit is scored by the model from its content (score_new_items);
// where the model cannot, by the scores of the ten items with the most similar content; without
// content, by its place in the order of popularity. So every item that can be shown has a score on
// the user's own scale.
//
// Where the session holds the belief, the model is not asked to replay it: a blend scores its other
// parts and the belief is added. Wishes ("more Comedy") move an item by their strength in standard
// deviations of the user's scores.
#pragma once

#include "core/clock.hpp"
#include "core/matrix.hpp"
#include "core/top_k.hpp"
#include "data/history.hpp"
#include "policy/knobs.hpp"
#include "serve/item_table.hpp"
#include "serve/snapshot.hpp"
#include "serve/user_settings.hpp"
#include "serve/vector_table.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace hg::serve {

/// An event of a session: which item, how good, when.
struct UserEvent {
    ItemRow row = 0;
    float weight = 1;
    EventTypeId type{};
    float value = 0;
    TimeMs time = 0;
    std::int64_t origin =
        0;  // sequence in the store; -1 - index in the dataset's history; 0 = none
};

/// Who is scored: what they did, oldest first, and what is known of them beside it. Borrowed.
struct UserView {
    std::span<const UserEvent> events;
    std::span<const data::Attribute> attributes{};
};

/// What else decides their scores. Borrowed.
struct Taste {
    const policy::Belief* belief = nullptr;  // after those events, wishes included
    std::span<const TraitWish> wishes{};
};

/// The best rows of the table for one history; what is hidden, seen or filtered is the caller's.
struct Candidates {
    std::uint64_t snapshot = 0;              // Snapshot::number
    std::uint64_t event_number = 0;          // of the session
    std::uint64_t items_version = 0;         // ItemTable::version()
    std::vector<Scored> best{};              // index = ItemRow, best first
    std::vector<policy::Signals> signals{};  // beside best, or empty: no knob has asked yet
    bool is_complete = false;                // nothing was left out
};

/// The history in rows of the model; events on items it does not know are left out. Borrows the
/// attributes.
[[nodiscard]] data::HistoryBuffer model_history(const Snapshot& snapshot, const UserView& user);

/// How many, and of which.
struct Wanted {
    std::size_t keep = 0;
    RowFilter only{};  // over rows of the item table; with it nothing is left to an index
};

/// At most `wanted.keep` rows. Runs the model once.
[[nodiscard]] Candidates score_candidates(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    const Taste& taste,
    const Wanted& wanted
);

/// Scores of these rows under several histories, [histories, rows]; runs the model once on all of
/// them.
[[nodiscard]] Matrix<float> score_rows(
    const Snapshot& snapshot,
    const ItemTable& items,
    std::span<const data::History> histories,
    std::span<const ItemRow> rows
);

}  // namespace hg::serve
