// SPDX-License-Identifier: Apache-2.0
#include "train/gaussian_posterior.hpp"

#include "core/dot.hpp"
#include "train/dense.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <functional>

namespace hg::train {

double GaussianPosterior::trace() const {
    double sum = 0;
    for (std::size_t i = 0; i < dim(); ++i) {
        sum += variance(i);
    }
    return sum;
}

void GaussianPosterior::multiply(std::span<const float> v, std::span<float> product) const {
    if (is_diagonal()) {
        std::ranges::transform(v, covariance, product.begin(), std::multiplies{});
        return;
    }
    // Row by row of C, so that the sums do not wait for each other.
    const auto d = v.size();
    std::ranges::fill(product, 0.0F);
    for (std::size_t r = 0; r < d; ++r) {
        const float* const row = covariance.data() + r * d;
        const float x = v[r];
        for (std::size_t c = 0; c < d; ++c) {
            product[c] += x * row[c];
        }
    }
}

void GaussianPosterior::variances_of(MatrixView<const float> vectors, std::span<float> out) const {
    Matrix<float> products(vectors.rows(), dim());
    if (is_diagonal()) {
        for (std::size_t i = 0; i < vectors.rows(); ++i) {
            multiply(vectors.row(i), products.row(i));
        }
    } else {
        multiply_transposed(vectors, {covariance.data(), dim(), dim()}, products.view());
    }
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
        out[i] = dot(vectors.row(i), products.row(i));
    }
}

void GaussianPosterior::shrink(std::span<const float> cv, float gain) {
    const auto d = cv.size();
    if (is_diagonal()) {
        for (std::size_t i = 0; i < d; ++i) {
            covariance[i] -= gain * cv[i] * cv[i];
        }
        return;
    }
    for (std::size_t r = 0; r < d; ++r) {
        float* const row = covariance.data() + r * d;
        const float scaled = gain * cv[r];
        for (std::size_t c = 0; c < d; ++c) {
            row[c] -= scaled * cv[c];
        }
    }
}

std::vector<float> GaussianPosterior::draw(Rng& rng) const {
    auto drawn = mean;
    if (is_diagonal()) {
        for (std::size_t i = 0; i < dim(); ++i) {
            drawn[i] += std::sqrt(covariance[i]) * static_cast<float>(rng.normal());
        }
        return drawn;
    }
    const auto d = static_cast<Eigen::Index>(dim());
    const Eigen::Map<const Eigen::MatrixXf> c{covariance.data(), d, d};
    const Eigen::LDLT<Eigen::MatrixXf> factors{c};  // also where a direction is known exactly
    Eigen::VectorXf z(d);
    for (auto& x : z) {
        x = static_cast<float>(rng.normal());
    }
    const Eigen::VectorXf scaled = factors.vectorD().cwiseMax(0).cwiseSqrt().cwiseProduct(z);
    const Eigen::VectorXf moved = factors.matrixL() * scaled;
    const Eigen::VectorXf apart = factors.transpositionsP().transpose() * moved;
    std::ranges::transform(drawn, apart, drawn.begin(), std::plus{});
    return drawn;
}

void GaussianPosterior::forget(float share) {
    for (auto& c : covariance) {
        c /= 1 - share;
    }
}

GaussianPosterior GaussianPosterior::diagonal() const {
    GaussianPosterior alone{.mean = mean, .covariance = std::vector<float>(dim())};
    for (std::size_t i = 0; i < dim(); ++i) {
        alone.covariance[i] = variance(i);
    }
    return alone;
}

}  // namespace hg::train
