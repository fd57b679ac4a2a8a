// SPDX-License-Identifier: Apache-2.0
// PolicyModel: pi(a | s, u, c): what to show. One of the four models.
//
// A policy gets candidates with scores and draws a slate with the exact probability of each choice,
// so that what we log can be judged later by off-policy evaluation. Const-safe; the generator is
// unique.
//
//   const Slate slate = policy.act(candidates, 10, rng);
#pragma once

#include "core/rng.hpp"
#include "core/top_k.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace hg::policy {

/// One shown item. `propensity` = P(this item | the slots above, the candidate set).
struct Slot {
    std::uint32_t item = 0;
    float score = 0;
    double propensity = 1;
    bool explored = false;  // not the item a greedy policy would have put here
};

struct Slate {
    std::vector<Slot> slots;
    double propensity = 1;       // product over the slots
    bool deterministic = false;  // true: this log cannot be used for off-policy evaluation
};

class PolicyModel {
  public:
    PolicyModel() = default;
    PolicyModel(const PolicyModel&) = delete;
    PolicyModel& operator=(const PolicyModel&) = delete;
    PolicyModel(PolicyModel&&) = delete;
    PolicyModel& operator=(PolicyModel&&) = delete;
    virtual ~PolicyModel() = default;

    /// `candidates`: best first, distinct, finite scores. At most k slots, fewer when candidates
    /// run out.
    [[nodiscard]] virtual Slate act(std::span<const Scored> candidates, std::size_t k, Rng& rng)
        const = 0;

    /// P(slots | candidates) under this policy, one factor per slot: for judging another policy's
    /// log.
    [[nodiscard]] virtual std::vector<double> propensities(
        std::span<const Scored> candidates, std::span<const std::uint32_t> slots
    ) const = 0;

    /// Logged with every impression.
    [[nodiscard]] virtual std::string_view version() const = 0;
};

}  // namespace hg::policy
