// SPDX-License-Identifier: Apache-2.0
// Vectors as matrix factorisation makes them: around a few centres, most short, some long.
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hg::serve {

inline Matrix<float> catalogue_vectors(std::size_t n, std::size_t dim, std::uint64_t seed) {
    Rng rng{seed};
    constexpr std::size_t n_centres = 12;
    Matrix<float> centres(n_centres, dim);
    for (auto& x : centres.values()) {
        x = static_cast<float>(rng.normal());
    }
    Matrix<float> made(n, dim);
    for (std::size_t row = 0; row < n; ++row) {
        const auto centre = centres.row(rng.below(n_centres));
        const auto length = static_cast<float>(std::exp(rng.normal()));
        for (std::size_t i = 0; i < dim; ++i) {
            made(row, i) = length * (centre[i] + static_cast<float>(rng.normal()));
        }
    }
    return made;
}

}  // namespace hg::serve
