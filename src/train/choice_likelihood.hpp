// SPDX-License-Identifier: Apache-2.0
// ChoiceLikelihood: a click as a choice among all items, P(i | u) = exp(s v_i . u) / sum_j exp(s v_j . u).
//
// The other reading of an event beside the noisy look of gaussian_prior.hpp: what was taken instead
// of what else there is. The sum goes over items drawn once by popularity, each counted
// 1 / (n q_j) times (importance sampling), the chosen one once and with certainty, so an event costs
// the same in every catalogue. How well an item's place is known counts for nothing here. The belief
// stays Gaussian by Laplace's approximation: the mean goes towards the mode of the posterior by a few
// Newton steps, halved while they overshoot, the covariance becomes the inverse of its curvature there (MacKay, "Information
// Theory, Inference, and Learning Algorithms", 2003, chapter 27).
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "train/gaussian_posterior.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hg::train {

struct ChoiceLikelihood {
    Matrix<float> rivals;            // [n, d], vectors of the drawn items
    std::vector<float> log_weights;  // [n], log 1 / (n q_j)
    float sharpness = 0;             // s; 0 = events are no choices
    std::size_t steps = 2;           // of Newton

    [[nodiscard]] bool empty() const noexcept { return rivals.empty(); }

    /// One liked item more, `weight` times. The covariance must be whole. O(n d^2 + d^3).
    void observe(GaussianPosterior& belief, std::span<const float> item, float weight) const;

    void save(SafetensorsWriter& weights, const std::string& prefix) const;
    /// Empty where the file has none; throws Error{corrupt} where it does not fit width `dim`.
    [[nodiscard]] static ChoiceLikelihood load(
        const SafetensorsFile& weights, const std::string& prefix, std::size_t dim
    );
};

/// `n` rivals, q ~ events + 1; with replacement.
[[nodiscard]] ChoiceLikelihood draw_rivals(
    MatrixView<const float> item_vectors,
    std::span<const float> n_events,
    std::size_t n,
    float sharpness,
    std::size_t steps,
    Rng rng
);

}  // namespace hg::train
