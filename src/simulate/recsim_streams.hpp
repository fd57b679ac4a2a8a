// SPDX-License-Identifier: Apache-2.0
// recsim_streams: the three numpy generators of a RecSim world (users, documents, responses) from
// one seed.
#pragma once

#include "core/rng.hpp"

#include <cstdint>

namespace hg::simulate {

/// Calls seed_streams() with three words of the seed, then begin_episode().
template <typename World>
void reset_streams(World& world, std::uint64_t seed) {
    Rng seeds{seed};
    const auto word = [&] { return static_cast<std::uint32_t>(seeds() >> 32U); };
    const auto users = word();
    const auto documents = word();
    world.seed_streams(users, documents, word());
    world.begin_episode();
}

}  // namespace hg::simulate
