// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/linear_prior.hpp"

#include "core/error.hpp"

#include <Eigen/Dense>

#include <cmath>

namespace hg::policy {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double covariance_floor = 1e-8;
constexpr double noise_floor = 1e-6;

/// What EM needs of one user.
struct Sums {
    Eigen::MatrixXd gram;   // sum (1, x)(1, x)'
    Eigen::VectorXd cross;  // sum (1, x) r
    double squares = 0;     // sum r^2
    double n = 0;
};

Eigen::VectorXd with_intercept(std::span<const float> inputs) {
    Eigen::VectorXd x(static_cast<Eigen::Index>(inputs.size()) + 1);
    x[0] = 1;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        x[static_cast<Eigen::Index>(i) + 1] = inputs[i];
    }
    return x;
}

Sums sums_of(const TaskEvents& task) {
    const auto d = static_cast<Eigen::Index>(task.n_inputs()) + 1;
    Sums sums{.gram = Eigen::MatrixXd::Zero(d, d), .cross = Eigen::VectorXd::Zero(d)};
    const auto events = task.view();
    for (std::size_t i = 0; i < events.size(); ++i) {
        const auto x = with_intercept(events.inputs.row(i));
        const double r = events.residual(i);
        sums.gram.selfadjointView<Eigen::Lower>().rankUpdate(x);
        sums.cross += x * r;
        sums.squares += r * r;
    }
    sums.gram = sums.gram.selfadjointView<Eigen::Lower>();
    sums.n = static_cast<double>(events.size());
    return sums;
}

struct Moments {
    Eigen::VectorXd mean;
    Eigen::MatrixXd covariance;
    double noise = 1;
};

/// Weak and isotropic: the first E step decides little.
Moments first_guess(std::span<const Sums> tasks) {
    double squares = 0;
    double n = 0;
    double length = 0;
    for (const auto& sums : tasks) {
        squares += sums.squares;
        n += sums.n;
        length += sums.gram.trace();
    }
    HG_CHECK(n > 0, "a prior is learned from events");
    const auto d = tasks.front().cross.size();
    const double variance = std::max(squares / n, noise_floor);
    return {
        .mean = Eigen::VectorXd::Zero(d),
        // A quarter of the variance is the users', spread over all weights.
        .covariance = Eigen::MatrixXd::Identity(d, d) * (0.25 * variance * n / length),
        .noise = 0.75 * variance,
    };
}

Moments improve(const Moments& old, std::span<const Sums> tasks) {
    const auto d = old.mean.size();
    const auto identity = Eigen::MatrixXd::Identity(d, d);
    const Eigen::MatrixXd precision = old.covariance.llt().solve(identity);
    const Eigen::VectorXd pull = precision * old.mean;
    Eigen::VectorXd mean_sum = Eigen::VectorXd::Zero(d);
    Eigen::MatrixXd square_sum = Eigen::MatrixXd::Zero(d, d);
    double error = 0;
    double n = 0;
    for (const auto& sums : tasks) {
        const Eigen::MatrixXd c = (precision + sums.gram / old.noise).llt().solve(identity);
        const Eigen::VectorXd m = c * (pull + sums.cross / old.noise);
        const Eigen::MatrixXd second = c + m * m.transpose();  // E w w'
        mean_sum += m;
        square_sum += second;
        error += sums.squares - 2 * m.dot(sums.cross) + sums.gram.cwiseProduct(second).sum();
        n += sums.n;
    }
    const auto users = static_cast<double>(tasks.size());
    Moments next{.mean = mean_sum / users, .covariance = {}, .noise = {}};
    next.covariance = square_sum / users - next.mean * next.mean.transpose();
    next.covariance.diagonal().array() += covariance_floor;
    next.noise = std::max(error / n, noise_floor);
    return next;
}

Eigen::Map<RowMatrix> as_matrix(Matrix<double>& matrix) {
    const auto rows = static_cast<Eigen::Index>(matrix.rows());
    return {matrix.values().data(), rows, rows};
}

Eigen::Map<Eigen::VectorXd> as_vector(std::vector<double>& vector) {
    return {vector.data(), static_cast<Eigen::Index>(vector.size())};
}

}  // namespace

LinearPrior fit_linear_prior(std::span<const TaskEvents> tasks, std::int64_t iterations) {
    std::vector<Sums> sums;
    for (const auto& task : tasks) {
        if (task.size() > 0) {
            sums.push_back(sums_of(task));
        }
    }
    HG_CHECK(!sums.empty(), "a prior is learned from tasks with events");
    auto moments = first_guess(sums);
    for (std::int64_t i = 0; i < iterations; ++i) {
        moments = improve(moments, sums);
    }
    const auto d = static_cast<std::size_t>(moments.mean.size());
    LinearPrior prior{
        .start = {.mean = std::vector<double>(d), .covariance = Matrix<double>(d, d)},
        .noise_variance = moments.noise,
    };
    as_vector(prior.start.mean) = moments.mean;
    as_matrix(prior.start.covariance) = moments.covariance;
    return prior;
}

void observe(
    LinearBelief& belief, std::span<const float> inputs, double residual, double noise_variance
) {
    const auto x = with_intercept(inputs);
    auto mean = as_vector(belief.mean);
    auto covariance = as_matrix(belief.covariance);
    const Eigen::VectorXd cx = covariance * x;
    const Eigen::VectorXd gain = cx / (x.dot(cx) + noise_variance);
    mean += gain * (residual - x.dot(mean));
    covariance -= gain * cx.transpose();
}

double expected(const LinearBelief& belief, std::span<const float> inputs) {
    double sum = belief.mean.front();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        sum += belief.mean[i + 1] * static_cast<double>(inputs[i]);
    }
    return sum;
}

LinearPrior scaled(const LinearPrior& prior, const PriorWidth& width) {
    auto result = prior;
    for (auto& mean : result.start.mean) {
        mean *= width.mean;
    }
    auto& covariance = result.start.covariance;
    const auto root = [&](std::size_t i) {
        return std::sqrt(i == 0 ? width.bias : width.preference);
    };
    for (std::size_t i = 0; i < covariance.rows(); ++i) {
        for (std::size_t j = 0; j < covariance.cols(); ++j) {
            covariance(i, j) *= root(i) * root(j);
        }
    }
    return result;
}

}  // namespace hg::policy
