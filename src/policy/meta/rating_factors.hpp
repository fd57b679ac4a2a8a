// SPDX-License-Identifier: Apache-2.0
// rating_factors: an item vector per item from ratings, by variational Bayes (after Raiko et al., 2007).
//
//   residual_ui = b_u + v_i . u_u + e,   (b_u, u_u) ~ N(m, S),   v_i ~ N(C f_i, I),   e ~ N(0, s2)
//
// Posterior variances of both sides are kept: least squares factors fit 60 ratings a user by heart,
// and what is learned from such vectors fails on new users. An item without ratings gets C f_i, the
// ridge from its content f_i. Torch-free.
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::policy {

struct Rating {
    std::uint32_t user = 0;
    std::uint32_t item = 0;
    float value = 0;
};

struct RatingFactorOptions {
    std::size_t n_factors = 8;
    std::int64_t iterations = 40;
    double content_ridge = 5;
};

/// [n_items, n_factors]: posterior means. `residuals` sorted by user; content [n_items, c].
[[nodiscard]] Matrix<float> fit_rating_factors(
    std::span<const Rating> residuals,
    MatrixView<const float> content,
    const RatingFactorOptions& options,
    Rng rng
);

}  // namespace hg::policy
