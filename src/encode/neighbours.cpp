// SPDX-License-Identifier: Apache-2.0
#include "encode/neighbours.hpp"

#include "core/dot.hpp"

#include <cmath>

namespace hg::encode {

std::vector<Scored> nearest_items(const ItemVectors& vectors, std::size_t row, std::size_t k) {
    const auto wanted = vectors.vectors.row(row);
    const double length = std::sqrt(precise_dot(wanted, wanted));
    std::vector<float> cosines(vectors.n_items(), masked_score);
    for (std::size_t other = 0; other < vectors.n_items(); ++other) {
        if (other == row || vectors.present[other] == 0) {
            continue;
        }
        const auto candidate = vectors.vectors.row(other);
        const double scale = length * std::sqrt(precise_dot(candidate, candidate));
        cosines[other] =
            scale > 0 ? static_cast<float>(precise_dot(wanted, candidate) / scale) : 0.0F;
    }
    return top_k(cosines, k);
}

}  // namespace hg::encode
