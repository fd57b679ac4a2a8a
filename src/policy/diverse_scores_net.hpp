// SPDX-License-Identifier: Apache-2.0
// diverse_scores: what a server's diversity makes of scores (knobs.hpp diversify), for learning. Private to
// this room.
//
//   s'(i) = s(i) - w sd max(0, max over those above cos(i, above))
//
// The order of maximal marginal relevance is found without gradient; in it, w and s have one.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace hg::policy {

/// scores [B, n], directions [B, n, d] of length 1 or 0, weight [B] -> [B, n]. sd is over the best `considered_for` *
/// `pool` scores, as a server takes it; the first `pool` are exactly the server's, those behind have the likeness
/// to all of the pool, so that every item keeps a score.
[[nodiscard]] at::Tensor diverse_scores(
    const at::Tensor& scores,
    const at::Tensor& directions,
    const at::Tensor& weight,
    std::int64_t pool
);

}  // namespace hg::policy
