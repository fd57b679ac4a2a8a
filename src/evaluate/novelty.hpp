// SPDX-License-Identifier: Apache-2.0
// novelty: how far lists go beyond what everybody already knows: self-information, popularity, long
// tail.
//
// `popularity` is the number of training events (or users) per item; index = ItemId. Values are
// means over a user's list, then over users with a non-empty list.
//
//   const double bits = self_information_bits(lists, 10, popularity);
#pragma once

#include "evaluate/exposure.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

/// -log2((n_i + 1) / (N + |I|)), Laplace-smoothed, so an unseen item is finite (Zhou et al., 2010).
[[nodiscard]] double self_information_bits(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint64_t> popularity
);
/// -log2(users who have the item / users); an unseen item counts as one user (RecTools' MIUF).
[[nodiscard]] double mean_inverse_user_frequency(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const std::uint64_t> users_of_item,
    std::size_t n_users
);
/// Mean training count of what is shown (ARP; Yin et al., 2012).
[[nodiscard]] double average_popularity(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint64_t> popularity
);
/// (popularity shown - popularity of the users' own histories) / the latter (Abdollahpouri et al.,
/// 2019).
[[nodiscard]] double popularity_lift(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const ItemList> histories,
    std::span<const std::uint64_t> popularity
);

/// 1 = one of the `share` most popular items; equal counts: the lower id first.
[[nodiscard]] std::vector<std::uint8_t> head_items(
    std::span<const std::uint64_t> popularity, double share = 0.2
);
/// Share of shown items that are head items: "popularity share"; 1 - it is the long-tail share
/// (APLT).
[[nodiscard]] double head_share(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint8_t> is_head
);

}  // namespace hg::evaluate
