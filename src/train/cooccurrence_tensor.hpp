// SPDX-License-Identifier: Apache-2.0
// add_cooccurrences: the counts of items liked together (train/sparse.hpp) as a dense square.
#pragma once

#include "core/tensor_fwd.hpp"
#include "train/kept_items.hpp"
#include "train/sparse.hpp"

#include <span>

namespace hg::train {

/// square[i, j] += sum over the users who have both of their weight (empty = 1 each), i != j.
/// square: [kept.size(), kept.size()], contiguous, float32 or float64, on the host.
void add_cooccurrences(
    const Csr& users,
    const KeptItems& kept,
    std::span<const float> user_weights,
    const at::Tensor& square
);

}  // namespace hg::train
