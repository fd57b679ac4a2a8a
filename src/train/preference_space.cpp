// SPDX-License-Identifier: Apache-2.0
#include "train/preference_space.hpp"

#include "train/truncated_svd.hpp"

#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = std::vector<std::vector<std::uint32_t>>;

constexpr float ridge = 1e-3F;
constexpr float covariance_floor = 1e-4F;

Eigen::Map<const RowMatrix> mapped(MatrixView<const float> view) {
    return {
        view.data(), static_cast<Eigen::Index>(view.rows()), static_cast<Eigen::Index>(view.cols())
    };
}

Matrix<float> to_matrix(const RowMatrix& values) {
    Matrix<float> out(
        static_cast<std::size_t>(values.rows()), static_cast<std::size_t>(values.cols())
    );
    std::copy_n(values.data(), values.size(), out.values().begin());
    return out;
}

/// W [users, d]: each user's preference by ridge regression on the items they liked.
RowMatrix user_preferences(const Rows& rows, const RowMatrix& v) {
    const Eigen::MatrixXf gram =
        v.transpose() * v + ridge * Eigen::MatrixXf::Identity(v.cols(), v.cols());
    RowMatrix sums = RowMatrix::Zero(static_cast<Eigen::Index>(rows.size()), v.cols());
    for (std::size_t u = 0; u < rows.size(); ++u) {
        for (const auto i : rows[u]) {
            sums.row(static_cast<Eigen::Index>(u)) += v.row(i);
        }
    }
    const Eigen::MatrixXf solved = gram.llt().solve(sums.transpose());
    return solved.transpose();
}

/// mean over all cells of (X - W V')^2 without forming it: |X|^2 - 2 <X, W V'> + tr(W'W V'V).
float mean_squared_residual(const Rows& rows, const RowMatrix& w, const RowMatrix& v) {
    double cells = 0;
    double cross = 0;
    for (std::size_t u = 0; u < rows.size(); ++u) {
        cells += static_cast<double>(rows[u].size());
        for (const auto i : rows[u]) {
            cross += w.row(static_cast<Eigen::Index>(u)).dot(v.row(i));
        }
    }
    const Eigen::MatrixXd ww = (w.transpose() * w).cast<double>();
    const Eigen::MatrixXd vv = (v.transpose() * v).cast<double>();
    const double total = cells - 2 * cross + ww.cwiseProduct(vv).sum();
    return static_cast<float>(
        total / (static_cast<double>(w.rows()) * static_cast<double>(v.rows()))
    );
}

struct Moments {
    Eigen::VectorXf mean;
    RowMatrix covariance;
};

Moments plain_moments(const Eigen::Ref<const RowMatrix>& w, std::span<const std::uint32_t> which) {
    Moments m{Eigen::VectorXf::Zero(w.cols()), RowMatrix::Zero(w.cols(), w.cols())};
    for (const auto u : which) {
        m.mean += w.row(u).transpose();
    }
    m.mean /= static_cast<float>(std::max<std::size_t>(1, which.size()));
    for (const auto u : which) {
        const Eigen::VectorXf centred = w.row(u).transpose() - m.mean;
        m.covariance += centred * centred.transpose();
    }
    m.covariance /= static_cast<float>(std::max<std::size_t>(2, which.size()) - 1);
    return m;
}

}  // namespace

PreferenceSpace fit_preference_space(const FitContext& context, const SpaceOptions& options) {
    constexpr double copies = 4;  // of both sides while singular vectors are found
    check_memory({
        .what = fmt::format(
            "a preference space: {} users and {} items in {} numbers",
            context.log.n_users(),
            context.log.n_items(),
            options.dim
        ),
        .bytes = copies * static_cast<double>(context.log.n_users() + context.log.n_items()) *
                 static_cast<double>(options.dim) * sizeof(float),
        .limit_bytes = context.memory_limit,
        .hint = "fewer numbers, --set dim=16, or a part of the users",
    });
    const auto rows = liked_items(context.log);
    auto svd = truncated_svd(
        context.log,
        {.rank = options.dim, .power_iterations = options.power_iterations},
        context.rng.split("svd"),
        context.progress,
        context.stop
    );
    PreferenceSpace space;
    space.items = std::move(svd.right);
    for (std::size_t i = 0; i < space.items.rows(); ++i) {
        for (std::size_t c = 0; c < space.items.cols(); ++c) {
            space.items(i, c) *= std::sqrt(svd.singular[c]);
        }
    }
    space.events_of_item.resize(space.items.rows());
    for (std::size_t u = 0; u < rows.size(); ++u) {
        space.events_of_user.push_back(static_cast<float>(rows[u].size()));
        for (const auto i : rows[u]) {
            space.events_of_item[i] += 1;
        }
        if (!rows[u].empty()) {
            space.active.push_back(static_cast<std::uint32_t>(u));
        }
    }
    if (space.active.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "the log has no event of positive weight to learn from",
            "check event types and rating threshold in dataset.toml",
        };
    }
    const RowMatrix v = mapped(space.items.view());
    const auto w = user_preferences(rows, v);
    space.residual = std::max(1e-6F, mean_squared_residual(rows, w, v));
    space.users = to_matrix(w);
    return space;
}

GaussianPosterior moments_of(
    MatrixView<const float> rows, std::span<const std::uint32_t> which, Spread spread
) {
    const auto w = mapped(rows);
    auto [mean, covariance] = plain_moments(w, which);
    if (spread == Spread::equal_users) {
        RowMatrix units = RowMatrix::Zero(w.rows(), w.cols());
        for (const auto u : which) {
            units.row(u) = w.row(u) / std::max(1e-9F, w.row(u).norm());
        }
        const auto equal = plain_moments(units, which).covariance;
        covariance = equal * (covariance.trace() / std::max(1e-9F, equal.trace()));
    }
    covariance += covariance_floor * RowMatrix::Identity(w.cols(), w.cols());
    return {
        .mean = {mean.begin(), mean.end()},
        .covariance = {covariance.data(), covariance.data() + covariance.size()},
    };
}

GaussianPosterior mixed(const GaussianPosterior& a, const GaussianPosterior& b, float share) {
    GaussianPosterior out = b;
    for (std::size_t i = 0; i < out.mean.size(); ++i) {
        out.mean[i] = share * a.mean[i] + (1 - share) * b.mean[i];
    }
    for (std::size_t i = 0; i < out.covariance.size(); ++i) {
        out.covariance[i] = share * a.covariance[i] + (1 - share) * b.covariance[i];
    }
    return out;
}

}  // namespace hg::train
