// SPDX-License-Identifier: Apache-2.0
// clusters: rows that lie together: k-means, and Ward's tree over the centres of a finer k-means.
//
// k-means: Lloyd (1982) from k-means++ seeds (Arthur and Vassilvitskii, 2007). Hierarchical: Ward
// (1963), which merges the two groups whose union adds least to the sum of squares; a tree over all
// rows is O(n^2), so it is grown over at most 256 centres (as BIRCH does).
//
//   const auto label = k_means(rows.view(), 8, rng);     // [n], 0 .. 7
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hg::train {

/// At most k labels, 0 .. k - 1, each in use. O(n k d) a round, at most 50 rounds.
[[nodiscard]] std::vector<std::uint32_t> k_means(
    MatrixView<const float> rows, std::size_t k, Rng rng
);

[[nodiscard]] std::vector<std::uint32_t> ward_clusters(
    MatrixView<const float> rows, std::size_t k, Rng rng
);

}  // namespace hg::train
