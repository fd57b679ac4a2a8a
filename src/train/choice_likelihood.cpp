// SPDX-License-Identifier: Apache-2.0
#include "train/choice_likelihood.hpp"

#include "core/error.hpp"
#include "core/signed_index.hpp"

#include <Eigen/LU>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace hg::train {
namespace {

using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Square = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

/// Of the log likelihood at u: itself, its gradient, and its curvature with the sign turned.
struct Slope {
    double value = 0;
    Vector gradient;
    Square curvature;
};

Slope slope_at(
    const Vector& u, const Square& vectors, const Vector& log_weights, double sharpness
) {
    Vector logits = sharpness * (vectors * u) + log_weights;
    const double most = logits.maxCoeff();
    Vector share = (logits.array() - most).exp();
    const double sum = share.sum();
    share /= sum;
    const Vector mean = vectors.transpose() * share;
    return {
        .value = logits[0] - most - std::log(sum),
        .gradient = sharpness * (vectors.row(0).transpose() - mean),
        .curvature = sharpness * sharpness *
                     (vectors.transpose() * share.asDiagonal() * vectors - mean * mean.transpose()),
    };
}

}  // namespace

void ChoiceLikelihood::observe(GaussianPosterior& belief, std::span<const float> item, float weight)
    const {
    const auto d = index(belief.dim());
    HG_CHECK(!belief.is_diagonal() || d == 1, "a choice needs the whole covariance");
    HG_CHECK(item.size() == belief.dim() && rivals.cols() == belief.dim(), "widths differ");
    const auto n = index(rivals.rows());
    Square vectors(n + 1, d);  // the item, then its rivals
    vectors.row(0) = Eigen::Map<const Eigen::RowVectorXf>(item.data(), d).cast<double>();
    vectors.bottomRows(n) = Eigen::Map<const Rows>(rivals.view().data(), n, d).cast<double>();
    Vector offsets(n + 1);
    offsets[0] = 0;
    offsets.tail(n) = Eigen::Map<const Eigen::VectorXf>(log_weights.data(), n).cast<double>();
    for (Eigen::Index r = 1; r <= n; ++r) {
        if (vectors.row(r) == vectors.row(0)) {  // it is in the sum already
            offsets[r] = -std::numeric_limits<double>::infinity();
        }
    }
    Eigen::Map<Eigen::VectorXf> mean(belief.mean.data(), d);
    Eigen::Map<Eigen::MatrixXf> covariance(belief.covariance.data(), d, d);
    const Square prior = covariance.cast<double>();
    const Vector start = mean.cast<double>();
    // Everything in terms of z with u = start + C z, which needs no inverse of C:
    // (C^-1 + w H)^-1 = (I + w C H)^-1 C, and the prior's energy is z' C z / 2.
    Vector z = Vector::Zero(d);
    auto slope = slope_at(start, vectors, offsets, sharpness);
    const auto solver_at = [&](const Slope& at) {
        return Eigen::PartialPivLU<Square>(Square::Identity(d, d) + weight * prior * at.curvature);
    };
    const auto energy = [&](const Vector& at, const Slope& there) {
        return at.dot(prior * at) / 2 - weight * there.value;
    };
    for (std::size_t step = 0; step < steps; ++step) {
        const Vector pull = weight * (slope.gradient + slope.curvature * (prior * z));
        const Vector moved = solver_at(slope).solve(prior * pull);
        const Vector wanted = pull - weight * (slope.curvature * moved);
        const double before = energy(z, slope);
        // A whole step may overshoot where the softmax is nearly flat: half of it, a quarter, ...
        constexpr int most_halvings = 20;
        double share = 1;
        for (int halving = 0; halving < most_halvings; ++halving, share /= 2) {
            const Vector tried = z + share * (wanted - z);
            auto there = slope_at(start + prior * tried, vectors, offsets, sharpness);
            if (energy(tried, there) <= before) {
                z = tried;
                slope = std::move(there);
                break;
            }
        }
    }
    const Vector u = start + prior * z;
    const Square posterior = solver_at(slope).solve(prior);
    mean = u.cast<float>();
    covariance = ((posterior + posterior.transpose()) / 2).cast<float>();
}

void ChoiceLikelihood::save(SafetensorsWriter& weights, const std::string& prefix) const {
    if (empty()) {
        return;
    }
    weights.add<float>(prefix + "choice_rivals", rivals.view());
    weights.add<float>(prefix + "choice_log_weights", std::span{log_weights});
    const std::array scalars{sharpness, static_cast<float>(steps)};
    weights.add<float>(prefix + "choice_sharpness_and_steps", std::span<const float>{scalars});
}

ChoiceLikelihood ChoiceLikelihood::load(
    const SafetensorsFile& weights, const std::string& prefix, std::size_t dim
) {
    ChoiceLikelihood choice;
    if (!weights.contains(prefix + "choice_rivals")) {
        return choice;
    }
    const auto rivals = value_or_throw(weights.matrix<float>(prefix + "choice_rivals"));
    const auto offsets = value_or_throw(weights.values<float>(prefix + "choice_log_weights"));
    const auto scalars =
        value_or_throw(weights.values<float>(prefix + "choice_sharpness_and_steps"));
    constexpr float most_steps = 100;
    if (rivals.cols() != dim || offsets.size() != rivals.rows() || scalars.size() != 2 ||
        !(scalars[0] > 0) || !(scalars[1] >= 1 && scalars[1] <= most_steps)) {
        throw Error{
            ErrorCode::corrupt,
            "the choice likelihood of the gaussian prior does not fit its item vectors",
            "train the run again",
        };
    }
    choice.rivals = Matrix<float>(rivals.rows(), rivals.cols());
    std::copy_n(rivals.data(), rivals.rows() * rivals.cols(), choice.rivals.values().begin());
    choice.log_weights.assign(offsets.begin(), offsets.end());
    choice.sharpness = scalars[0];
    choice.steps = static_cast<std::size_t>(scalars[1]);
    return choice;
}

ChoiceLikelihood draw_rivals(
    MatrixView<const float> item_vectors,
    std::span<const float> n_events,
    std::size_t n,
    float sharpness,
    std::size_t steps,
    Rng rng
) {
    HG_CHECK(
        n_events.size() == item_vectors.rows() && !n_events.empty(), "rivals are items with counts"
    );
    std::vector<double> cumulative;
    double sum = 0;
    for (const float count : n_events) {
        cumulative.push_back(sum += static_cast<double>(count) + 1);
    }
    ChoiceLikelihood choice{
        .rivals = Matrix<float>(n, item_vectors.cols()),
        .log_weights = std::vector<float>(n),
        .sharpness = sharpness,
        .steps = steps,
    };
    for (std::size_t r = 0; r < n; ++r) {
        const auto at = std::ranges::upper_bound(cumulative, sum * rng.uniform());
        const auto item =
            std::min(static_cast<std::size_t>(at - cumulative.begin()), cumulative.size() - 1);
        std::ranges::copy(item_vectors.row(item), choice.rivals.row(r).begin());
        const double share = (static_cast<double>(n_events[item]) + 1) / sum;
        choice.log_weights[r] = static_cast<float>(-std::log(static_cast<double>(n) * share));
    }
    return choice;
}

}  // namespace hg::train
