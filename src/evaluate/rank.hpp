// SPDX-License-Identifier: Apache-2.0
// rank_of: where a target item stands among all scores, ties counted half.
//
// rank = #greater + (#equal - 1) / 2, counted from 0, so a hit at k is rank < k. A model that gives
// every item the same score gets the middle rank, not the first one.
#pragma once

#include <cstddef>
#include <span>

namespace hg::evaluate {

/// `target` is an index into `scores`; masked items are -infinity and never stand above it. O(n).
[[nodiscard]] double rank_of(std::span<const float> scores, std::size_t target);

}  // namespace hg::evaluate
