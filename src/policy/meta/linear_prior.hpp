// SPDX-License-Identifier: Apache-2.0
// LinearPrior: the hierarchical Gaussian over users: everybody's answer is linear in what is known
// of items, with weights of the user's own, drawn from one Gaussian that is learned by EM.
//
//   y - offset = w_u . (1, x) + e,   w_u ~ N(m, S),   e ~ N(0, s2)         (Laird and Ware, 1982)
//   E: w_u | events ~ N(m_u, C_u) = N(C_u (S^-1 m + X'r / s2), (S^-1 + X'X / s2)^-1)
//   M: m = mean m_u,  S = mean (C_u + (m_u - m)(m_u - m)'),  s2 = mean E (r - w_u . (1, x))^2
//
// The intercept is the user's bias. Torch-free; const-safe.
#pragma once

#include "core/matrix.hpp"
#include "policy/meta/task.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::policy {

/// Of w_u: before any event, or after some.
struct LinearBelief {
    std::vector<double> mean;   // [d + 1], the intercept first
    Matrix<double> covariance;  // [d + 1, d + 1]
};

struct LinearPrior {
    LinearBelief start;
    double noise_variance = 1;
};

[[nodiscard]] LinearPrior fit_linear_prior(
    std::span<const TaskEvents> tasks, std::int64_t iterations
);

/// belief <- one event, exactly (Kalman, 1960). O(d^2).
void observe(
    LinearBelief& belief, std::span<const float> inputs, double residual, double noise_variance
);

/// m . (1, x).
[[nodiscard]] double expected(const LinearBelief& belief, std::span<const float> inputs);

struct PriorWidth {
    double mean = 1;        // factor of the mean
    double bias = 1;        // of the intercept's variance
    double preference = 1;  // of the other variances
};

[[nodiscard]] LinearPrior scaled(const LinearPrior& prior, const PriorWidth& width);

}  // namespace hg::policy
