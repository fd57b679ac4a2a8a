// SPDX-License-Identifier: Apache-2.0
// play: episodes of a policy in a world, and what they earned, covered and repeated.
//
// Episodes are seeded one by one, so two policies played with one seed meet the same users.
// Intervals are over episodes (mean +- 1.96 standard errors); over seeds they are the caller's.
//
//   const PlayResult result = play(*batch, *agent, {.episodes = 500, .seed = 7});
#pragma once

#include "policy/agent.hpp"
#include "policy/stepper.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

namespace hg::policy {

struct PlayOptions {
    std::size_t episodes = 100;
    std::uint64_t seed = 7;
    Mode mode = Mode::exploit;
    std::size_t session_tokens = 0;
    std::size_t turns = 0;  // steps of an episode whose rewards and ratings are kept one by one
    std::size_t most_steps = 10'000'000;  // of all users together; then what is whole counts
};

struct Mean {
    double value = 0;
    double half_width = 0;  // of the 95 % interval
};

struct PlayResult {
    std::vector<double> returns;  // by episode
    Mean mean_return;
    Mean length;                         // steps of an episode
    Mean click_rate;                     // clicks per shown item, by episode
    Mean diversity;                      // mean distance of two items of a slate; 0 for one slot
    std::vector<double> reward_by_turn;  // [turns], mean over episodes, 0 after their end
    std::vector<double> rating_by_turn;  // [turns], mean over the items clicked then, 0 where none
    double coverage =
        0;  // share of the world's items ever shown; of distinct ids where they are fresh
    double novelty = 0;  // mean of -log2 of the shown items' share of all showings
    double regret = 0;   // per step against the best item, in worlds that show one and tell
    bool has_regret = false;
    std::size_t n_steps = 0;
    double seconds = 0;
};

/// Called with every step before anything else is done with it; `episodes[u]` counts from 0.
using StepHook =
    std::function<void(const TransitionBatch& step, std::span<const std::uint64_t> episodes)>;

/// Plays until `episodes` are over. Of every user the first episodes are taken, the same number
/// from each, so long episodes are not missed.
[[nodiscard]] PlayResult play(
    simulate::EnvironmentBatch& world,
    Agent& agent,
    const PlayOptions& options,
    const StepHook& hook = {},
    const std::stop_token& stop = {}
);

[[nodiscard]] Mean mean_of(std::span<const double> values);

}  // namespace hg::policy
