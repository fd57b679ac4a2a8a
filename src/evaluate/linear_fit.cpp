// SPDX-License-Identifier: Apache-2.0
#include "evaluate/linear_fit.hpp"

#include "core/signed_index.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace hg::evaluate {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<RowMajor> map(Matrix<double>& matrix) {
    return {matrix.values().data(), index(matrix.rows()), index(matrix.cols())};
}

Eigen::VectorXd solve(
    const NormalEquations& sums, std::span<const double> penalty, std::span<const double> target
) {
    RowMajor matrix = Eigen::Map<const RowMajor>{
        sums.matrix.values().data(), index(sums.matrix.rows()), index(sums.matrix.cols())
    };
    for (std::size_t i = 0; i < penalty.size(); ++i) {
        // A column of zeros has no say: any positive diagonal gives it the coefficient 0.
        double& diagonal = matrix(index(i), index(i));
        diagonal += penalty[i];
        if (!(diagonal > 0)) {
            diagonal = 1;
        }
    }
    return matrix.selfadjointView<Eigen::Lower>().ldlt().solve(
        Eigen::Map<const Eigen::VectorXd>{target.data(), index(target.size())}
    );
}

/// log(1 + e^x)
double log1p_exp(double x) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double penalised_loss(
    std::span<const FitRow> rows,
    std::span<const double> coefficients,
    std::span<const double> penalty
) {
    double loss = 0;
    for (const auto& row : rows) {
        const double logit = linear(coefficients, row.features);
        loss += row.weight * (log1p_exp(logit) - row.target * logit);
    }
    for (std::size_t i = 0; i < penalty.size(); ++i) {
        loss += penalty[i] * coefficients[i] * coefficients[i] / 2;
    }
    return loss;
}

/// The Hessian and the gradient of the log-likelihood, as normal equations of working targets.
NormalEquations newton_sums(std::span<const FitRow> rows, std::span<const double> coefficients) {
    std::vector<FitRow> working(rows.begin(), rows.end());
    constexpr double flattest = 1e-9;  // keeps the working target finite where p is 0 or 1
    for (auto& row : working) {
        const double p = sigmoid(linear(coefficients, row.features));
        const double curvature = std::max(p * (1 - p), flattest);
        row.target = (row.target - p) / curvature;
        row.weight *= curvature;
    }
    return sum_rows(working, coefficients.size() - 1);
}

}  // namespace

NormalEquations& NormalEquations::operator+=(const NormalEquations& other) {
    std::ranges::transform(
        matrix.values(), other.matrix.values(), matrix.values().begin(), std::plus{}
    );
    std::ranges::transform(vector, other.vector, vector.begin(), std::plus{});
    return *this;
}

NormalEquations sum_rows(std::span<const FitRow> rows, std::size_t n_features) {
    NormalEquations sums{n_features};
    auto matrix = map(sums.matrix);
    Eigen::Map<Eigen::VectorXd> vector{sums.vector.data(), index(sums.vector.size())};
    constexpr std::size_t block_rows = 256;  // fits the cache with a few hundred features
    RowMajor block(index(block_rows), index(n_features + 1));
    for (std::size_t first = 0; first < rows.size(); first += block_rows) {
        const auto part = rows.subspan(first, std::min(block_rows, rows.size() - first));
        Eigen::VectorXd target(index(part.size()));
        for (std::size_t i = 0; i < part.size(); ++i) {
            const double root = std::sqrt(part[i].weight);
            for (std::size_t j = 0; j < n_features; ++j) {
                block(index(i), index(j)) = root * static_cast<double>(part[i].features[j]);
            }
            block(index(i), index(n_features)) = root;
            target(index(i)) = root * part[i].target;
        }
        const auto used = block.topRows(index(part.size()));
        matrix.selfadjointView<Eigen::Lower>().rankUpdate(used.transpose());
        vector.noalias() += used.transpose() * target;
    }
    return sums;
}

std::vector<double> scaled_penalty(const NormalEquations& sums, double l2) {
    const std::size_t intercept = sums.vector.size() - 1;
    const double total_weight = sums.matrix(intercept, intercept);
    std::vector<double> penalty(sums.vector.size());
    for (std::size_t i = 0; i < intercept; ++i) {
        penalty[i] = total_weight > 0 ? l2 * sums.matrix(i, i) / total_weight : 0;
    }
    return penalty;
}

std::vector<double> solve_ridge(const NormalEquations& sums, std::span<const double> penalty) {
    const auto solution = solve(sums, penalty, sums.vector);
    return {solution.begin(), solution.end()};
}

std::vector<double> fit_logistic(
    std::span<const FitRow> rows, std::span<const double> penalty, std::size_t max_iterations
) {
    std::vector<double> coefficients(penalty.size());
    double loss = penalised_loss(rows, coefficients, penalty);
    for (std::size_t iteration = 0; iteration < max_iterations; ++iteration) {
        const auto sums = newton_sums(rows, coefficients);
        auto gradient = sums.vector;
        for (std::size_t i = 0; i < gradient.size(); ++i) {
            gradient[i] -= penalty[i] * coefficients[i];
        }
        const auto step = solve(sums, penalty, gradient);
        double length = 1;
        constexpr double shortest = 1e-4;
        std::vector<double> next(coefficients.size());
        double next_loss = loss;
        for (; length >= shortest; length /= 2) {
            for (std::size_t i = 0; i < next.size(); ++i) {
                next[i] = coefficients[i] + length * step(index(i));
            }
            next_loss = penalised_loss(rows, next, penalty);
            if (next_loss <= loss) {
                break;
            }
        }
        constexpr double tolerance = 1e-12;
        const bool is_done =
            length < shortest || loss - next_loss <= tolerance * (1 + std::abs(loss));
        if (next_loss <= loss) {
            coefficients = next;
            loss = next_loss;
        }
        if (is_done) {
            break;
        }
    }
    return coefficients;
}

double linear(std::span<const double> coefficients, std::span<const float> features) {
    double sum = coefficients.back();
    for (std::size_t j = 0; j < features.size(); ++j) {
        sum += coefficients[j] * static_cast<double>(features[j]);
    }
    return sum;
}

double sigmoid(double logit) {
    const double e = std::exp(-std::abs(logit));
    return logit >= 0 ? 1 / (1 + e) : e / (1 + e);
}

}  // namespace hg::evaluate
