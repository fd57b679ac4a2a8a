// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/hazard.hpp"

#include "simulate/learned/feedback_table.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int most_steps = 25;
constexpr float most_logit = 30;

/// Scaled inputs and a column of ones.
Rows design(const HazardRows& rows, const Scaling& scaling) {
    const auto n = static_cast<Eigen::Index>(rows.inputs.rows());
    const auto d = static_cast<Eigen::Index>(rows.inputs.cols());
    Rows x(n, d + 1);
    for (Eigen::Index i = 0; i < n; ++i) {
        const auto from = rows.inputs.row(static_cast<std::size_t>(i));
        scaling.apply(from, {x.row(i).data(), from.size()});
        x(i, d) = 1;
    }
    return x;
}

float chance(float logit) {
    return 1.0F / (1.0F + std::exp(-std::clamp(logit, -most_logit, most_logit)));
}

double loss_of(const Rows& x, const std::vector<std::uint8_t>& left, const Eigen::VectorXf& w) {
    const Eigen::VectorXf logits = x * w;
    double loss = 0;
    for (Eigen::Index i = 0; i < logits.size(); ++i) {
        const auto z = static_cast<double>(std::clamp(logits(i), -most_logit, most_logit));
        loss += std::log1p(std::exp(-std::abs(z))) + std::max(0.0, z) -
                (left[static_cast<std::size_t>(i)] != 0 ? z : 0);
    }
    return loss / static_cast<double>(std::max<Eigen::Index>(1, logits.size()));
}

/// Newton's method with halved steps; `w` is the start and the answer.
void newton(const Rows& x, const std::vector<std::uint8_t>& left, float ridge, Eigen::VectorXf& w) {
    const auto d = x.cols();
    const auto n = static_cast<double>(x.rows());
    const auto objective = [&](const Eigen::VectorXf& v) {
        return loss_of(x, left, v) +
               0.5 * static_cast<double>(ridge * v.head(d - 1).squaredNorm()) / n;
    };
    double now = objective(w);
    for (int step = 0; step < most_steps; ++step) {
        const Eigen::VectorXf logits = x * w;
        Eigen::VectorXf off(x.rows());
        Eigen::VectorXf root(x.rows());
        for (Eigen::Index i = 0; i < x.rows(); ++i) {
            const float p = chance(logits(i));
            off(i) = p - (left[static_cast<std::size_t>(i)] != 0 ? 1.0F : 0.0F);
            root(i) = std::sqrt(std::max(p * (1 - p), 1e-7F));
        }
        const Rows weighted = root.asDiagonal() * x;
        Eigen::MatrixXf h = Eigen::MatrixXf::Zero(d, d);
        h.selfadjointView<Eigen::Lower>().rankUpdate(weighted.transpose());
        h.diagonal().head(d - 1).array() += ridge;
        h(d - 1, d - 1) += 1e-4F;
        Eigen::VectorXf gradient = x.transpose() * off;
        gradient.head(d - 1) += ridge * w.head(d - 1);
        Eigen::VectorXf move = h.selfadjointView<Eigen::Lower>().ldlt().solve(gradient);
        double next = objective(w - move);
        for (int halvings = 0; halvings < 10 && !(next <= now); ++halvings) {
            move *= 0.5F;
            next = objective(w - move);
        }
        if (!(next < now - 1e-7 * now)) {
            return;
        }
        w -= move;
        now = next;
    }
}

Hazard unscaled(const Eigen::VectorXf& w, const Scaling& scaling) {
    Hazard hazard;
    double bias = static_cast<double>(w(w.size() - 1));
    for (std::size_t j = 0; j < scaling.mean.size(); ++j) {
        const float weight = w(static_cast<Eigen::Index>(j)) * scaling.inverse_sd[j];
        hazard.weights.push_back(weight);
        bias -= static_cast<double>(weight) * static_cast<double>(scaling.mean[j]);
    }
    hazard.bias = static_cast<float>(bias);
    return hazard;
}

}  // namespace

Hazard fit_hazard(const HazardRows& train, const HazardRows& validation) {
    const auto n_left = std::accumulate(train.left.begin(), train.left.end(), 0.0);
    const auto n = static_cast<double>(train.left.size());
    const auto base = static_cast<float>(std::log((n_left + 0.5) / (n - n_left + 0.5)));
    if (n_left == 0) {
        return {.weights = std::vector<float>(train.inputs.cols()), .bias = base};
    }
    const auto scaling = scale_columns(train.inputs.view());
    const auto x = design(train, scaling);
    const auto unseen = design(validation, scaling);
    Eigen::VectorXf w = Eigen::VectorXf::Zero(x.cols());
    w(w.size() - 1) = base;
    Eigen::VectorXf best = w;
    double best_loss = loss_of(unseen, validation.left, w);
    constexpr std::array ridges{100.0F, 10.0F, 1.0F, 0.1F};  // each starts where the last ended
    for (const float ridge : ridges) {
        newton(x, train.left, ridge, w);
        const double loss = loss_of(unseen, validation.left, w);
        if (validation.left.empty() || loss < best_loss) {
            best = w;
            best_loss = loss;
        }
        if (loss > best_loss) {
            break;
        }
    }
    return unscaled(best, scaling);
}

}  // namespace hg::simulate
