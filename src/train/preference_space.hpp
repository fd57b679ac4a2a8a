// SPDX-License-Identifier: Apache-2.0
// PreferenceSpace: where items and training users lie before anything is said of a prior.
//
// X = users x items, 1 where liked. Truncated SVD X ~ U S V', V <- V sqrt(S); each user's
// preference by ridge, W = X V (V'V + 1e-3 I)^-1; the residual is mean (X - W V')^2 over all cells.
// Priors differ in how they summarise the rows of W: all of them, by segment, by cluster, as a
// function of what is known of the user.
//
//   const auto space = fit_preference_space(context, {.dim = 48});
//   const GaussianPosterior everyone = moments_of(space.users.view(), space.active);
#pragma once

#include "core/matrix.hpp"
#include "train/gaussian_prior.hpp"
#include "train/model_entry.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::train {

struct PreferenceSpace {
    Matrix<float> items;                // V [n_items, d]
    Matrix<float> users;                // W [n_users, d]
    std::vector<std::uint32_t> active;  // users who liked something; never empty
    std::vector<float> events_of_item;  // [n_items]
    std::vector<float> events_of_user;  // [n_users]
    float residual = 1;                 // mean squared, of a cell of X
};

struct SpaceOptions {
    std::size_t dim = 48;
    std::size_t power_iterations = 12;
};

/// Throws Error: interrupted on a stop request, invalid_argument when nobody liked anything.
[[nodiscard]] PreferenceSpace fit_preference_space(
    const FitContext& context, const SpaceOptions& options
);

/// How a covariance is taken: of preferences as they are, where users who did much decide it, or of
/// preferences at equal length, where all users count alike; the trace is that of the first.
enum class Spread : std::uint8_t { as_they_are, equal_users };

/// Mean and covariance (with a floor) of these rows.
[[nodiscard]] GaussianPosterior moments_of(
    MatrixView<const float> rows,
    std::span<const std::uint32_t> which,
    Spread spread = Spread::as_they_are
);

/// share * a + (1 - share) * b.
[[nodiscard]] GaussianPosterior mixed(
    const GaussianPosterior& a, const GaussianPosterior& b, float share
);

}  // namespace hg::train
