// SPDX-License-Identifier: Apache-2.0
// Belief: what we think of one user now, updated by every event in about a microsecond.
//
// A Gaussian over preferences (train/gaussian_prior.hpp) plus counters. It is a cache, never the
// truth: the durable state is the user's events, and a belief of another space is rebuilt by
// replay, so forgetting an event is a replay without it. Single-threaded; the prior it is used with
// is const and shared.
//
//   Belief belief{prior};                       // or Belief::replay(prior, history)
//   adapt(prior, belief, item, weight);
//   prior.score(belief.posterior, scores);
#pragma once

#include "data/catalogue.hpp"
#include "data/history.hpp"
#include "train/gaussian_prior.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::policy {

struct Belief {
    train::GaussianPosterior posterior;
    std::string space_id;           // of the prior it was made with
    std::string segment;            // of the user; "" = everyone's
    std::vector<float> start_mean;  // where it began
    double start_trace = 0;         // and how unsure
    std::uint32_t n_events = 0;
    std::uint32_t n_liked = 0;

    Belief() = default;
    explicit Belief(const train::GaussianPrior& prior, std::string_view of_segment = {});
    /// Of a user before the first event: what their attributes say (GaussianPrior::start_of).
    Belief(const train::GaussianPrior& prior, const data::History& of);

    /// From the events of a history, oldest first, starting at what the user's attributes say.
    /// O(events * d^2).
    [[nodiscard]] static Belief replay(
        const train::GaussianPrior& prior, const data::History& history
    );
};

/// belief <- one event: the inner loop. An item the prior does not know (index past the end) only
/// counts.
void adapt(const train::GaussianPrior& prior, Belief& belief, ItemId item, float weight);

/// One after the other.
void adapt_all(const train::GaussianPrior& prior, Belief& belief, const data::History& history);

/// The place of a trait of the catalogue in the space: where items with this value of the field lie,
/// seen from the average item, as long as an item is on average. Empty when no item has the value.
[[nodiscard]] std::vector<float> trait_direction(
    const train::GaussianPrior& prior, const data::Field& field, std::string_view value
);

/// A wish of the user ("more Comedy" > 0, "no Horror" < 0): evidence like five events of that
/// weight on an item that is nothing but the trait. No event: the counters stay, nothing is forgotten.
void adapt_to_wish(
    const train::GaussianPrior& prior,
    Belief& belief,
    std::span<const float> direction,
    float preference
);

/// How much of the uncertainty it started with is left: trace C / trace C0, 1 = nothing learned yet.
[[nodiscard]] double uncertainty_left(const Belief& belief);

/// One thing we think of a user, in words of the catalogue.
struct Trait {
    std::string name;  // a value of the field: "Comedy"
    /// How far items with it score above the average item, in standard deviations.
    double preference;
};

/// The most liked and least liked values of a category field with at least 5 items, strongest
/// first.
[[nodiscard]] std::vector<Trait> traits(
    const train::GaussianPrior& prior,
    const Belief& belief,
    const data::Field& field,
    std::size_t count
);

}  // namespace hg::policy
