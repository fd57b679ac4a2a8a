// SPDX-License-Identifier: Apache-2.0
// top_k: the best k of a row of scores, ties broken by the lower index so that answers are stable.
//
//   mask(scores, history.items);                  // -infinity: never returned
//   for (auto [index, score] : top_k(scores, 10)) ...
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace hg {

constexpr float masked_score = -std::numeric_limits<float>::infinity();

struct Scored {
    std::uint32_t index = 0;
    float score = 0;
};

/// At most k entries, best first; masked (-infinity) and NaN entries are left out. O(n + k log k).
[[nodiscard]] std::vector<Scored> top_k(std::span<const float> scores, std::size_t k);

/// Sets the scores of these items to masked_score; ids past the end are ignored.
void mask(std::span<float> scores, std::span<const ItemId> items);

}  // namespace hg
