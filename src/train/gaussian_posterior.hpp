// SPDX-License-Identifier: Apache-2.0
// GaussianPosterior: mean and covariance of one user's preference, u ~ N(m, C).
//
// The covariance is whole, d x d, or its diagonal alone: d numbers a user instead of d^2, at the
// price of forgetting after each event which directions are unsure together (assumed density
// filtering: of all diagonal Gaussians the one nearest to the exact posterior is kept).
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::train {

/// Plain data: copy it, store it, throw it away.
struct GaussianPosterior {
    std::vector<float> mean;        // [d]
    std::vector<float> covariance;  // [d, d] row major, symmetric; or [d], its diagonal

    [[nodiscard]] std::size_t dim() const noexcept { return mean.size(); }

    [[nodiscard]] bool is_diagonal() const noexcept { return covariance.size() == mean.size(); }

    /// C[i, i].
    [[nodiscard]] float variance(std::size_t i) const {
        return covariance[is_diagonal() ? i : i * dim() + i];
    }

    /// The sum of the variances.
    [[nodiscard]] double trace() const;

    /// product = C v. O(d^2), or O(d); no allocation.
    void multiply(std::span<const float> v, std::span<float> product) const;

    /// out[i] = v_i' C v_i of the rows v_i of `vectors` [n, d]: as one product, which takes a third of
    /// the time of n calls of multiply().
    void variances_of(MatrixView<const float> vectors, std::span<float> out) const;

    /// C <- C - gain (C v)(C v)', given C v.
    void shrink(std::span<const float> cv, float gain);

    /// One draw of u.
    [[nodiscard]] std::vector<float> draw(Rng& rng) const;

    /// C <- C / (1 - share): as if something had been forgotten.
    void forget(float share);

    /// The same with the variances alone.
    [[nodiscard]] GaussianPosterior diagonal() const;
};

}  // namespace hg::train
