// SPDX-License-Identifier: Apache-2.0
// exposure: how the catalogue is shown: coverage, Gini, entropy, concentration, personalisation of
// lists.
//
// Input: the first k items of each user's list. Gini is over all catalogue items by default (an
// item never shown counts as 0); the other convention (only shown items) is a labelled mode. Users
// with an empty list add nothing.
//
//   const Exposure shown = count_exposure(lists, 10, n_items);
//   fmt::print("{} {}\n", coverage(shown), gini(shown));
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

using ItemList = std::vector<ItemId>;

/// How often each item was shown; index = ItemId.
struct Exposure {
    std::vector<std::uint64_t> counts;
    std::uint64_t total = 0;
};

enum class GiniOver : std::uint8_t { catalogue, shown_items };

/// O(users x k). Ids past n_items are a mistake.
[[nodiscard]] Exposure count_exposure(
    std::span<const ItemList> lists, std::size_t k, std::size_t n_items
);

[[nodiscard]] std::size_t n_distinct(const Exposure& shown);
/// Share of the catalogue that was shown to somebody.
[[nodiscard]] double coverage(const Exposure& shown);
/// 0 = all items equally often, towards 1 = one item only.
[[nodiscard]] double gini(const Exposure& shown, GiniOver over = GiniOver::catalogue);
/// Of the distribution of exposure, in nats.
[[nodiscard]] double entropy_nats(const Exposure& shown);
/// exp(entropy): the number of equally shown items with the same entropy.
[[nodiscard]] double effective_catalogue(const Exposure& shown);
/// Sum of squared shares.
[[nodiscard]] double herfindahl(const Exposure& shown);
/// 1 - mean cosine of two users' lists: 0 = the same list for everyone.
[[nodiscard]] double personalisation(
    std::span<const ItemList> lists, std::size_t k, std::size_t n_items
);

}  // namespace hg::evaluate
