// SPDX-License-Identifier: Apache-2.0
// neighbours: the items whose vectors point the same way, for a person who wants to see what an
// encoder thinks is alike.
//
//   for (const auto& [row, cosine] : nearest_items(vectors, item.index(), 10)) ...
#pragma once

#include "core/top_k.hpp"
#include "encode/item_vectors.hpp"

#include <cstddef>
#include <vector>

namespace hg::encode {

/// At most k other items that have a vector, highest cosine first. O(n d).
[[nodiscard]] std::vector<Scored> nearest_items(
    const ItemVectors& vectors, std::size_t row, std::size_t k
);

}  // namespace hg::encode
