// SPDX-License-Identifier: Apache-2.0
// Filters of a dataset before it is stored: time window, bots, repeats, rare users and items.
//
// Applied in this order: since/until, bots, dedup, min_events, k_core. Users who lose all their
// events go away, items only by k_core (an item nobody touched lately can still be recommended);
// ids are renumbered, names and fields stay with them.
//
//   auto [kept, report] = filter_dataset(std::move(data), {.k_core = 5});
#pragma once

#include "core/clock.hpp"
#include "data/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace hg::data {

/// Which of a user's events of the same item and type stays.
enum class Dedup : std::uint8_t { none, last, first };

struct FilterOptions {
    std::optional<TimeMs> since{};  // events before it go
    std::optional<TimeMs> until{};  // events at or behind it go
    bool drop_bots = false;         // users with far too many events, see bot_threshold
    Dedup dedup = Dedup::none;
    std::size_t min_events = 0;  // users with fewer go
    std::size_t k_core = 0;      // repeat until every user and item has so many events

    [[nodiscard]] bool is_empty() const noexcept {
        return !since && !until && !drop_bots && dedup == Dedup::none && min_events == 0 &&
               k_core == 0;
    }
};

/// What one filter took away.
struct FilterStep {
    std::string name;
    std::size_t events = 0;
};

struct Filtered {
    Dataset data;
    std::vector<FilterStep> steps;
    std::size_t users_dropped = 0;
    std::size_t items_dropped = 0;
};

[[nodiscard]] Filtered filter_dataset(Dataset data, const FilterOptions& options);

/// Events above which a user counts as a bot: third quartile + 3 interquartile ranges of log(1 +
/// events) (Tukey's "far out" on a log scale, as activity is heavy-tailed), and at least 100.
[[nodiscard]] double bot_threshold(const InteractionLog& log);

}  // namespace hg::data
