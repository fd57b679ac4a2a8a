// SPDX-License-Identifier: Apache-2.0
// engine_state: what one recommendation carries from step to step; private to engine_*.cpp.
#pragma once

#include "data/attributes.hpp"
#include "serve/engine.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace hg::serve {

/// Who asks: what the model and the masks need of them.
struct Engine::UserState {
    std::shared_ptr<Session> session;  // null: an anonymous history
    std::vector<UserEvent> events;  // of the anonymous one; of a session only when they were needed
    data::Attributes attributes;    // likewise
    RowSet seen;                    // of the anonymous one
    std::uint64_t event_number = 0;
    std::int64_t last_event = 0;           // sequence in the store
    std::optional<policy::Belief> belief;  // likewise
    std::vector<TraitWish> wishes;         // that the scores know of
    KnobEdits edits;                       // that the knobs know of
    policy::Knobs knobs;
    std::shared_ptr<const Candidates> candidates;

    [[nodiscard]] Taste taste() const noexcept {
        return {.belief = belief ? &*belief : nullptr, .wishes = wishes};
    }

    [[nodiscard]] UserView view() const noexcept { return {events, attributes.view()}; }
};

/// What the slate is drawn from, best first.
struct Engine::Pool {
    std::vector<Scored> rows;
    std::vector<ItemRow> greedy;                 // what the ranker alone would show, as many
    std::shared_ptr<const CandidatesText> text;  // of the rows
    policy::Knobs knobs;                         // that made the order
    std::vector<UserEvent> events;               // only for an explanation
    data::Attributes attributes;                 // likewise

    [[nodiscard]] UserView view() const noexcept { return {events, attributes.view()}; }
};

}  // namespace hg::serve
