// SPDX-License-Identifier: Apache-2.0
// CoTaken: what one user took soon before or after something, drawn as often as it happened.
//
// Pairs are never written down: a draw picks an event of the thing at random and another within
// `window` events of it in the same user's history, so memory is one number per event, whatever the
// window. Only liked events (weight > 0) enter. "Things" are whatever items are mapped to: texts,
// which several items may share. Torch-free; const-safe.
//
//   const CoTaken pairs{log, text_of_item, n_texts, 3};
//   if (const auto other = pairs.draw(text, rng)) { ... }
#pragma once

#include "core/rng.hpp"
#include "data/interaction_log.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace hg::train {

class CoTaken {
  public:
    /// For items that stand for nothing: their events are left out.
    static constexpr std::uint32_t nothing = std::numeric_limits<std::uint32_t>::max();

    /// thing_of_item: [n_items], below n_things or nothing. O(events).
    CoTaken(
        const data::InteractionLog& log,
        std::span<const std::uint32_t> thing_of_item,
        std::size_t n_things,
        std::size_t window
    );

    /// Another thing than `thing`; nothing where nobody took one near it. O(log users).
    [[nodiscard]] std::optional<std::uint32_t> draw(std::uint32_t thing, Rng& rng) const;

  private:
    std::size_t window_;
    std::vector<std::uint32_t> things_;   // of all users, one after the other
    std::vector<std::size_t> user_ends_;  // ascending, into things_
    std::vector<std::size_t> offsets_;    // [n_things + 1], into events_
    std::vector<std::size_t> events_;     // places in things_, by thing
};

}  // namespace hg::train
