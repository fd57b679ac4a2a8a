// SPDX-License-Identifier: Apache-2.0
// contrastive_loss: pairs that belong together are told from those of their batch.
//
// InfoNCE (van den Oord et al., 2018, equation 4) both ways, as in CLIP: with rows of length 1, t
// the temperature and s_ij = a_i'b_j / t,
//
//   loss = -mean_i [log softmax_j(s_ij) + log softmax_j(s_ji)]_(j = i) / 2
//
// Deviation: a row of the batch that is the same thing as the anchor or as its partner is no
// negative for it. What everybody takes is drawn often and pushed as often, so the likeness learned
// is beyond popularity, which the text of an item does not tell.
#pragma once

#include "core/tensor_fwd.hpp"

#include <cstdint>
#include <span>

namespace hg::train {

struct PairsInBatch {
    std::span<const std::uint32_t> anchors;   // [n], what they are
    std::span<const std::uint32_t> partners;  // [n]
};

/// s of the equation, [n, n], -inf where a column is no negative of its row. anchors, partners:
/// [n, d], of any length.
[[nodiscard]] at::Tensor pair_logits(
    const at::Tensor& anchors,
    const at::Tensor& partners,
    const PairsInBatch& pairs,
    double temperature
);

/// A scalar, of pair_logits.
[[nodiscard]] at::Tensor contrastive_loss(const at::Tensor& logits);

}  // namespace hg::train
