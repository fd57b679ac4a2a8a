// SPDX-License-Identifier: Apache-2.0
#include "encode/neighbours.hpp"

#include <cmath>
#include <span>

namespace hg::encode {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

}  // namespace

std::vector<Scored> nearest_items(const ItemVectors& vectors, std::size_t row, std::size_t k) {
    const auto wanted = vectors.vectors.row(row);
    const double length = std::sqrt(dot(wanted, wanted));
    std::vector<float> cosines(vectors.n_items(), masked_score);
    for (std::size_t other = 0; other < vectors.n_items(); ++other) {
        if (other == row || vectors.present[other] == 0) {
            continue;
        }
        const auto candidate = vectors.vectors.row(other);
        const double scale = length * std::sqrt(dot(candidate, candidate));
        cosines[other] = scale > 0 ? static_cast<float>(dot(wanted, candidate) / scale) : 0.0F;
    }
    return top_k(cosines, k);
}

}  // namespace hg::encode
