// SPDX-License-Identifier: Apache-2.0
// calibration: does a list have the mix of genres that the user's own history has? (Steck, RecSys
// 2018)
//
// p = genres of the history, q = genres of the list; an item spreads its weight evenly over its
// genres. KL(p || q~) with q~ = (1 - a) q + a p, a = .01, in nats; 0 = calibrated. Users whose
// history or list has no genre are left out. Deviation: none; JS is between p and the unsmoothed q,
// in bits.
//
//   const double kl = calibration_kl_nats(histories, lists, 10, genres);
#pragma once

#include "evaluate/diversity.hpp"
#include "evaluate/exposure.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

enum class RankWeight : std::uint8_t { uniform, logarithmic };  // logarithmic: 1 / log2(rank + 2)

[[nodiscard]] double kl_nats(
    std::span<const double> p, std::span<const double> q, double smoothing = 0.01
);
[[nodiscard]] double js_bits(std::span<const double> p, std::span<const double> q);

[[nodiscard]] double calibration_kl_nats(
    std::span<const ItemList> histories,
    std::span<const ItemList> lists,
    std::size_t k,
    const ItemGroups& groups,
    RankWeight weight = RankWeight::uniform
);
[[nodiscard]] double calibration_js_bits(
    std::span<const ItemList> histories,
    std::span<const ItemList> lists,
    std::size_t k,
    const ItemGroups& groups
);
/// Entropy of the genres of a list, mean over users, in nats: how wide the bubble is.
[[nodiscard]] double group_entropy_nats(
    std::span<const ItemList> lists, std::size_t k, const ItemGroups& groups
);

}  // namespace hg::evaluate
