// SPDX-License-Identifier: Apache-2.0
// diverse_scores: what a server's diversity makes of scores (knobs.hpp diversify), for learning. Private to
// this room.
//
//   s'(i) = s(i) - w sd max(0, max over those above cos(i, above))
//
// The order of maximal marginal relevance is found without gradient; in it, w and s have one.
#pragma once

#include "simulate/environment.hpp"

#include <torch/types.h>

#include <cstdint>

namespace hg::policy {

struct DiverseAmong {
    std::int64_t considered = 0;  // the best so many, of which sd is taken, as a server does
    std::int64_t chosen = 0;      // of them, one after the other
};

/// Of a server with its defaults; a few more than a slate has slots are chosen, as what is further down is hardly
/// ever shown.
[[nodiscard]] DiverseAmong diverse_among(const simulate::EnvironmentFacts& world);

/// scores [B, n], directions [B, n, d] of length 1 or 0, weight [B] -> [B, n]. Those that are chosen have exactly
/// the server's scores and order; those behind have the likeness to all who are chosen, so that every item keeps
/// a score. O(chosen * considered * d) a row.
[[nodiscard]] at::Tensor diverse_scores(
    const at::Tensor& scores,
    const at::Tensor& directions,
    const at::Tensor& weight,
    const DiverseAmong& among
);

}  // namespace hg::policy
