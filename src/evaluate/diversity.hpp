// SPDX-License-Identifier: Apache-2.0
// diversity: how different the items of one list are, from each other and from the user's history.
//
// Distances are cosine over item vectors (Ziegler et al., 2005) or the number of groups in which
// two items differ (Hamming over genres, as RecTools). Lists of fewer than two items have no pairs
// and are left out.
//
//   const double ild = intra_list_diversity(lists, 10, vectors);
#pragma once

#include "core/matrix.hpp"
#include "evaluate/exposure.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::evaluate {

/// Which groups (genres) an item is in: a Catalogue field's offsets and codes.
struct ItemGroups {
    std::span<const std::int64_t> offsets;  // [n_items + 1]
    std::span<const std::uint32_t> codes;
    std::size_t n_groups = 0;

    [[nodiscard]] std::span<const std::uint32_t> of(ItemId item) const;
};

/// Mean cosine distance over the pairs of a list; 1 - it is the intra-list similarity. O(users k^2
/// d).
[[nodiscard]] double intra_list_diversity(
    std::span<const ItemList> lists, std::size_t k, MatrixView<const float> vectors
);
/// Mean number of groups in which two items of a list differ.
[[nodiscard]] double intra_list_diversity(
    std::span<const ItemList> lists, std::size_t k, const ItemGroups& groups
);
/// Mean cosine distance between what is shown and what the user had (Kaminskas and Bridge, 2016).
[[nodiscard]] double unexpectedness(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const ItemList> histories,
    MatrixView<const float> vectors
);

}  // namespace hg::evaluate
