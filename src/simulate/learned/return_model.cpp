// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/return_model.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace hg::simulate {
namespace {

constexpr std::size_t n_quantiles = 65;

std::vector<float> quantiles_of(std::vector<float> values) {
    std::ranges::sort(values);
    std::vector<float> quantiles;
    for (std::size_t i = 0; i < n_quantiles && !values.empty(); ++i) {
        quantiles.push_back(values[i * (values.size() - 1) / (n_quantiles - 1)]);
    }
    return quantiles;
}

}  // namespace

ReturnModel fit_returns(
    const FeedbackTable& table, const Scaling& users, const std::vector<std::size_t>& decisions
) {
    if (!table.facts.has_gaps) {
        return {};
    }
    const auto n = static_cast<Eigen::Index>(table.users.cols()) + 1;
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(n, n);
    Eigen::VectorXd b = Eigen::VectorXd::Zero(n);
    std::vector<std::pair<Eigen::VectorXd, double>> known;
    std::vector<float> scaled(table.users.cols());
    for (const auto d : decisions) {
        if (!std::isfinite(table.gap_hours[d])) {
            continue;
        }
        users.apply(table.users.row(d), scaled);
        Eigen::VectorXd x(n);
        std::ranges::copy(scaled, x.begin());
        x(n - 1) = 1;
        const double y = std::log(std::max(1e-3, static_cast<double>(table.gap_hours[d])));
        a += x * x.transpose();
        b += x * y;
        known.emplace_back(std::move(x), y);
    }
    if (known.empty()) {
        return {};
    }
    const Eigen::VectorXd w = a.ldlt().solve(b);
    std::vector<float> off;
    for (const auto& [x, y] : known) {
        off.push_back(static_cast<float>(y - x.dot(w)));
    }
    ReturnModel model;
    for (const double weight : w) {
        model.weights.push_back(static_cast<float>(weight));
    }
    model.residuals = quantiles_of(std::move(off));
    return model;
}

}  // namespace hg::simulate
