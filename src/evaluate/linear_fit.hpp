// SPDX-License-Identifier: Apache-2.0
// linear_fit: weighted normal equations and their penalised solution; the arithmetic behind
// reward_model.hpp.
//
// A row is a vector of features, to which an intercept is added as the last coefficient.
#pragma once

#include "core/matrix.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::evaluate {

/// sum w x x' and sum w x y over rows (x, y, w); sums of disjoint rows may be added.
struct NormalEquations {
    explicit NormalEquations(std::size_t n_features)
        : matrix(n_features + 1, n_features + 1), vector(n_features + 1) {}

    NormalEquations& operator+=(const NormalEquations& other);

    Matrix<double> matrix;  // lower triangle
    std::vector<double> vector;
};

/// One row of a fit.
struct FitRow {
    std::span<const float> features;
    double target = 0;
    double weight = 1;
};

[[nodiscard]] NormalEquations sum_rows(std::span<const FitRow> rows, std::size_t n_features);

/// l2 times each column's weighted mean square; 0 for the intercept.
[[nodiscard]] std::vector<double> scaled_penalty(const NormalEquations& sums, double l2);

/// The minimiser of sum w (y - b x)^2 + sum penalty b^2.
[[nodiscard]] std::vector<double> solve_ridge(
    const NormalEquations& sums, std::span<const double> penalty
);

/// The maximiser of the weighted log-likelihood of targets in [0, 1] less half of
/// sum penalty b^2, by damped Newton steps.
[[nodiscard]] std::vector<double> fit_logistic(
    std::span<const FitRow> rows, std::span<const double> penalty, std::size_t max_iterations
);

/// b x + intercept.
[[nodiscard]] double linear(std::span<const double> coefficients, std::span<const float> features);

[[nodiscard]] double sigmoid(double logit);

}  // namespace hg::evaluate
