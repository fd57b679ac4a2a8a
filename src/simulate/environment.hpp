// SPDX-License-Identifier: Apache-2.0
// Environment: a world with one user in it: reset, then step after step a slate goes in and the
// user's responses come out.
//
// An environment owns the buffers its observations are views of, so stepping allocates nothing and
// many of them run side by side (environment_batch.hpp). All that is random comes from the seed of
// reset(): the same seed and slates give the same episode. `observe()` is all a policy may see;
// `expected_reward()` is for regret and tests. Single-threaded; clones are independent.
//
//   auto world = make_world("interest_evolution", settings);
//   world->reset(7);
//   const Transition t = world->step(slate);      // indices of world->observe().items
#pragma once

#include "core/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace hg::simulate {

class ItemTexts;

/// What generic code must know of a world. Bounds are inclusive and hold at every step.
struct EnvironmentFacts {
    std::size_t n_candidates = 0;  // offered at every step
    std::size_t slate_size = 1;
    std::size_t user_size = 0;   // numbers in the observation of the user
    std::size_t item_size = 0;   // numbers per candidate
    std::size_t n_items = 0;     // identities that outlive a step; 0 = fresh candidates each time
    std::size_t n_states = 0;    // > 0: observation.state is the whole observation, below this
    std::size_t step_limit = 0;  // episodes are cut here (truncated); 0 = they end by themselves
    bool has_purchases = false;  // a click may go further: Response::purchased
    float user_low = 0;
    float user_high = 1;
    float item_low = 0;
    float item_high = 1;
    double reward_low = 0;
    double reward_high = 1;
    std::shared_ptr<const ItemTexts> item_texts = nullptr;  // where items have names
};

/// Borrowed from the environment until its next reset or step.
struct Observation {
    std::span<const float> user;              // [user_size]
    MatrixView<const float> items;            // [n_candidates, item_size]
    std::span<const std::uint32_t> item_ids;  // [n_candidates]; below n_items where that is > 0
    std::uint32_t state = 0;                  // where n_states > 0
};

/// What the user did with one shown item.
struct Response {
    bool clicked = false;
    bool purchased = false;  // never without a click
    float value = 0;         // minutes watched, engagement, ...: 0 without a click
    float rating = 0;        // what the user makes known of its quality, where the world tells
};

/// What a step led to. `responses` follows the slate and is borrowed like an observation.
struct Transition {
    std::span<const Response> responses;
    double reward = 0;
    bool ended = false;      // the user left: nothing follows
    bool truncated = false;  // cut by step_limit: the user would have gone on
};

class Environment {
  public:
    Environment() = default;
    Environment(const Environment&) = default;
    Environment& operator=(const Environment&) = delete;
    Environment(Environment&&) = delete;
    Environment& operator=(Environment&&) = delete;
    virtual ~Environment() = default;

    [[nodiscard]] virtual const EnvironmentFacts& facts() const noexcept = 0;

    /// Starts an episode that depends on the seed alone.
    virtual void reset(std::uint64_t seed) = 0;

    [[nodiscard]] virtual Observation observe() const = 0;

    /// `slate`: slate_size distinct indices of candidates, the first slot first. Not after the end.
    [[nodiscard]] virtual Transition step(std::span<const std::uint32_t> slate) = 0;

    /// Same state, same future.
    [[nodiscard]] virtual std::unique_ptr<Environment> clone() const = 0;

    /// Mean reward of showing this slate now, where the world can tell. Never for agents.
    [[nodiscard]] virtual std::optional<double> expected_reward(
        std::span<const std::uint32_t> /*slate*/
    ) const {
        return std::nullopt;
    }

    /// The state in one line, for golden transcripts.
    [[nodiscard]] virtual std::string describe_state() const = 0;
};

/// Throws Error{invalid_argument} unless `slate` is what step() asks for.
void check_slate(const EnvironmentFacts& facts, std::span<const std::uint32_t> slate);

}  // namespace hg::simulate
