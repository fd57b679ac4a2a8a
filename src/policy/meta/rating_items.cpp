// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/rating_items.hpp"

#include "policy/meta/content_ridge.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace hg::policy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int effect_iterations = 15;

/// mu, and per item how much above mu it is rated once its users' habits are taken out.
struct Effects {
    double mean = 0;
    VectorXd items;
    VectorXd counts;
};

Effects fit_effects(
    std::span<const Rating> ratings, const MatrixXd& content, const RatingItemOptions& options
) {
    Index n_users = 0;
    Effects effects{
        .items = VectorXd::Zero(content.rows()), .counts = VectorXd::Zero(content.rows())
    };
    for (const auto& r : ratings) {
        effects.mean += static_cast<double>(r.value) / static_cast<double>(ratings.size());
        effects.counts[r.item] += 1;
        n_users = std::max<Index>(n_users, r.user + 1);
    }
    VectorXd user_counts = VectorXd::Zero(n_users);
    for (const auto& r : ratings) {
        user_counts[r.user] += 1;
    }
    const auto& n = effects.counts;
    const VectorXd weights = n.array() / (n.array() + options.prior_events);
    const ContentRidge ridge{content, weights, options.content_ridge};
    for (int iteration = 0; iteration < effect_iterations; ++iteration) {
        VectorXd user_sums = VectorXd::Zero(n_users);
        for (const auto& r : ratings) {
            user_sums[r.user] +=
                static_cast<double>(r.value) - effects.mean - effects.items[r.item];
        }
        const VectorXd users = user_sums.array() / (user_counts.array() + options.user_shrinkage);
        VectorXd sums = VectorXd::Zero(content.rows());
        for (const auto& r : ratings) {
            sums[r.item] += static_cast<double>(r.value) - effects.mean - users[r.user];
        }
        const VectorXd guess = ridge.fit(sums.array() / n.array().max(1));
        effects.items =
            (sums + options.prior_events * guess).array() / (n.array() + options.prior_events);
    }
    // A new item is met through a rating, and much rated items are better than most: weight by
    // ratings.
    const VectorXd guess = ContentRidge{content, n, options.content_ridge}.fit(effects.items);
    effects.items = (n.array() > 0).select(effects.items, guess);
    return effects;
}

/// The column, moved and scaled to mean 0 and variance 1.
void standardise(Matrix<float>& inputs, std::size_t column) {
    double sum = 0;
    double squares = 0;
    for (std::size_t i = 0; i < inputs.rows(); ++i) {
        sum += inputs(i, column);
        squares += static_cast<double>(inputs(i, column)) * static_cast<double>(inputs(i, column));
    }
    const auto n = static_cast<double>(inputs.rows());
    const double mean = sum / n;
    const double deviation = std::sqrt(std::max(squares / n - mean * mean, 1e-12));
    for (std::size_t i = 0; i < inputs.rows(); ++i) {
        inputs(i, column) = static_cast<float>((inputs(i, column) - mean) / deviation);
    }
}

std::vector<Rating> residuals_by_user(std::span<const Rating> ratings, const Effects& effects) {
    std::vector<Rating> residuals{ratings.begin(), ratings.end()};
    for (auto& r : residuals) {
        r.value -= static_cast<float>(effects.mean + effects.items[r.item]);
    }
    std::ranges::stable_sort(residuals, {}, &Rating::user);
    return residuals;
}

}  // namespace

void RatingItemOptions::describe(OptionBinder& bind, RatingItemOptions& o) {
    bind("factors", o.factors, "length of the learned item vectors", {.min = 0, .max = 256});
    bind("iterations", o.iterations, "of their fit", {.min = 1, .max = 1e4});
    bind(
        "content_inputs", o.content_inputs, "content columns learners see", {.min = 0, .max = 4096}
    );
    bind(
        "prior_events",
        o.prior_events,
        "ratings an item's content counts for",
        {.min = 0.01, .max = 1e6}
    );
    bind(
        "user_shrinkage",
        o.user_shrinkage,
        "ratings of 0 each user starts with, while item means are made",
        {.min = 0, .max = 1e6}
    );
    bind("content_ridge", o.content_ridge, "penalty from content", {.min = 1e-6, .max = 1e9});
}

RatingItems describe_rating_items(
    std::span<const Rating> ratings,
    MatrixView<const float> content,
    const RatingItemOptions& options,
    Rng rng
) {
    const auto known = to_eigen(content);
    const auto effects = fit_effects(ratings, known, options);
    const auto factors = fit_rating_factors(
        residuals_by_user(ratings, effects),
        content,
        {.n_factors = static_cast<std::size_t>(options.factors),
         .iterations = options.iterations,
         .content_ridge = options.content_ridge},
        rng.split("factors")
    );
    const auto n_content =
        std::min(content.cols(), static_cast<std::size_t>(options.content_inputs));
    const auto n_factors = factors.cols();
    const auto n_items = content.rows();
    RatingItems items{
        .offsets = std::vector<float>(n_items),
        .inputs = Matrix<float>(n_items, n_factors + n_content + 2),
        .n_ratings = std::vector<float>(n_items),
    };
    for (std::size_t i = 0; i < n_items; ++i) {
        const auto at = static_cast<Index>(i);
        items.offsets[i] = static_cast<float>(effects.mean + effects.items[at]);
        items.n_ratings[i] = static_cast<float>(effects.counts[at]);
        auto row = items.inputs.row(i);
        std::ranges::copy(factors.row(i), row.begin());
        std::ranges::copy(
            content.row(i).first(n_content), row.begin() + static_cast<std::ptrdiff_t>(n_factors)
        );
        row[n_factors + n_content] = items.offsets[i];
        row[n_factors + n_content + 1] =
            static_cast<float>(effects.counts[at] / (effects.counts[at] + options.prior_events));
    }
    for (std::size_t j = n_factors; j <= n_factors + n_content; ++j) {
        standardise(items.inputs, j);
    }
    return items;
}

void align_factors(RatingItems& items, const RatingItems& reference, std::size_t n_factors) {
    if (n_factors == 0) {
        return;
    }
    const auto d = static_cast<Index>(n_factors);
    MatrixXd own = to_eigen(items.inputs.view()).leftCols(d);
    const MatrixXd theirs = to_eigen(reference.inputs.view()).leftCols(d);
    VectorXd weights(own.rows());
    for (Index i = 0; i < own.rows(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        weights[i] = std::min(items.n_ratings[at], reference.n_ratings[at]);
    }
    const MatrixXd cross = own.transpose() * weights.asDiagonal() * theirs;
    const Eigen::JacobiSVD<MatrixXd> svd{cross, Eigen::ComputeFullU | Eigen::ComputeFullV};
    own *= svd.matrixU() * svd.matrixV().transpose();
    for (Index i = 0; i < own.rows(); ++i) {
        for (Index j = 0; j < d; ++j) {
            items.inputs(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
                static_cast<float>(own(i, j));
        }
    }
}

}  // namespace hg::policy
