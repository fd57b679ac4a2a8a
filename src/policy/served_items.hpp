// SPDX-License-Identifier: Apache-2.0
// served_items: how a world served:RUN shows an item to what chooses a server's knobs: its score, what the
// knobs weigh (policy::Signals), and, where slates have more than one slot, its direction in the belief's space,
// of length 1 or 0, whose dot products are the likeness that diversity weighs.
//
//   check_served_world(world);
//   if (shows_directions(world)) { ... row.subspan(plain_item_size) ... }
#pragma once

#include "simulate/environment.hpp"

#include <cstddef>

namespace hg::policy {

/// Exploration, novelty, content.
constexpr std::size_t n_signals = 3;
/// Score and signals, in this order.
constexpr std::size_t plain_item_size = 1 + n_signals;

[[nodiscard]] inline bool shows_directions(const simulate::EnvironmentFacts& world) noexcept {
    return world.slate_size > 1 && world.item_size > plain_item_size;
}

/// Throws Error where the world does not show what a served run does.
void check_served_world(const simulate::EnvironmentFacts& world);

}  // namespace hg::policy
