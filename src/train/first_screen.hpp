// SPDX-License-Identifier: Apache-2.0
// first_screen: what to ask somebody nothing is known of: "which of these do you know and like?"
//
// A tap says "I like it". No tap says nothing: not to know an item is no dislike. So an item is worth
// asking for by how likely the tap is (p, the share of users who have the item) times what it tells.
//
//   popularity   p
//   entropy      p H(p), H(p) = -p log p - (1 - p) log(1 - p)            (after Rashid et al. 2002)
//   evidence     p |K (1 - v'm)|: how far a tap moves the belief          (after the evidence
//                candidates of MeLU, Lee et al. 2019, who take the norm of a gradient)
//   information  p log(1 + v'Cv / s2) / 2, and C shrinks by p of a tap before the next is chosen, so
//                that no two items ask the same                           (D-optimal, greedy)
//
//   const auto items = first_screen(prior, shares, Asking::information, 10);
#pragma once

#include "train/gaussian_prior.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hg::train {

enum class Asking : std::uint8_t { popularity, entropy, evidence, information };

/// In the order of the enumeration.
inline constexpr std::array<std::string_view, 4> asking_names{
    "popularity", "entropy", "evidence", "information"
};

/// Rows of the prior's items, the first to ask for first; a shorter list is the start of a longer.
/// shares: [n_items] of the users who have the item, 0 = never asked for. Of the 500 most popular
/// items; O(500 k d^2).
[[nodiscard]] std::vector<std::uint32_t> first_screen(
    const GaussianPrior& prior, std::span<const float> shares, Asking how, std::size_t k
);

}  // namespace hg::train
