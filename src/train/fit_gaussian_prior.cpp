// SPDX-License-Identifier: Apache-2.0
#include "train/fit_gaussian_prior.hpp"

#include "train/truncated_svd.hpp"

#include <Eigen/Dense>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace hg::train {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Rows = std::vector<std::vector<std::uint32_t>>;

constexpr float ridge = 1e-3F;
constexpr float covariance_floor = 1e-4F;

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
    Eigen::MatrixXf covariance;
};

Moments moments(const RowMatrix& w, const std::vector<Eigen::Index>& users) {
    Moments m{Eigen::VectorXf::Zero(w.cols()), Eigen::MatrixXf::Zero(w.cols(), w.cols())};
    for (const auto u : users) {
        m.mean += w.row(u).transpose();
    }
    m.mean /= static_cast<float>(std::max<std::size_t>(1, users.size()));
    for (const auto u : users) {
        const Eigen::VectorXf centred = w.row(u).transpose() - m.mean;
        m.covariance += centred * centred.transpose();
    }
    m.covariance /= static_cast<float>(std::max<std::size_t>(2, users.size()) - 1);
    m.covariance += covariance_floor * Eigen::MatrixXf::Identity(w.cols(), w.cols());
    return m;
}

GaussianPosterior to_posterior(const Moments& m, const GaussianOptions& options) {
    GaussianPosterior start;
    const auto d = m.mean.size();
    start.mean.resize(static_cast<std::size_t>(d));
    start.covariance.resize(static_cast<std::size_t>(d * d));
    const bool is_flat = options.prior == "flat";
    const RowMatrix covariance =
        is_flat
            ? RowMatrix(RowMatrix::Identity(d, d) * (m.covariance.trace() / static_cast<float>(d)))
            : RowMatrix(m.covariance);
    for (Eigen::Index i = 0; i < d; ++i) {
        start.mean[static_cast<std::size_t>(i)] =
            is_flat ? 0.0F : m.mean[i] * static_cast<float>(options.mean_scale);
    }
    for (Eigen::Index i = 0; i < d * d; ++i) {
        start.covariance[static_cast<std::size_t>(i)] =
            covariance.data()[i] * static_cast<float>(options.prior_scale);
    }
    return start;
}

std::map<std::string, std::vector<Eigen::Index>> users_by_segment(
    const data::Catalogue& users, const std::string& field_name, std::size_t n_users
) {
    std::map<std::string, std::vector<Eigen::Index>> segments;
    if (field_name.empty()) {
        return segments;
    }
    const auto* field = users.find(field_name);
    if (field == nullptr) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("segment_field \"{}\" is not a field of the users", field_name),
            "name a column of users.csv, or leave it empty",
        };
    }
    for (std::size_t u = 0; u < std::min(n_users, users.n_rows()); ++u) {
        if (field->present[u] != 0) {
            segments[field->text(u)].push_back(static_cast<Eigen::Index>(u));
        }
    }
    return segments;
}

/// Ridge from content to item vectors, weighted by how often an item was liked: B [content_dim, d].
Matrix<float> fit_content_map(
    const encode::ItemVectors& content, const RowMatrix& v, const Rows& rows
) {
    const auto dc = static_cast<Eigen::Index>(content.dim());
    Eigen::VectorXf counts = Eigen::VectorXf::Zero(v.rows());
    for (const auto& items : rows) {
        for (const auto i : items) {
            counts[i] += 1;
        }
    }
    const Eigen::Map<const RowMatrix> c{content.vectors.values().data(), v.rows(), dc};
    const Eigen::VectorXf weight = (counts.array() / (counts.array() + 10.0F)).matrix();
    const Eigen::MatrixXf weighted = weight.asDiagonal() * c;
    Eigen::MatrixXf gram = c.transpose() * weighted;
    const float penalty = 0.01F * gram.trace() / static_cast<float>(dc) + 1e-6F;
    gram += penalty * Eigen::MatrixXf::Identity(dc, dc);
    const RowMatrix solved = gram.llt().solve(weighted.transpose() * v);
    Matrix<float> map(content.dim(), static_cast<std::size_t>(v.cols()));
    std::copy_n(solved.data(), solved.size(), map.values().begin());
    return map;
}

}  // namespace

GaussianPrior fit_gaussian_prior(const FitContext& context, const GaussianOptions& options) {
    const auto rows = liked_items(context.log);
    auto svd = truncated_svd(
        context.log,
        {.rank = static_cast<std::size_t>(options.dim),
         .power_iterations = static_cast<std::size_t>(options.power_iterations)},
        context.rng.split("svd"),
        context.progress,
        context.stop
    );
    auto& vectors = svd.right;
    for (std::size_t i = 0; i < vectors.rows(); ++i) {
        for (std::size_t c = 0; c < vectors.cols(); ++c) {
            vectors(i, c) *= std::sqrt(svd.singular[c]);
        }
    }
    const Eigen::Map<const RowMatrix> mapped{
        vectors.values().data(),
        static_cast<Eigen::Index>(vectors.rows()),
        static_cast<Eigen::Index>(vectors.cols())
    };
    const RowMatrix v = mapped;
    const auto w = user_preferences(rows, v);
    std::vector<Eigen::Index> everyone;
    for (std::size_t u = 0; u < rows.size(); ++u) {
        if (!rows[u].empty()) {
            everyone.push_back(static_cast<Eigen::Index>(u));
        }
    }
    if (everyone.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "the log has no event of positive weight to learn from",
            "check event types and rating threshold in dataset.toml",
        };
    }
    GaussianPrior::Parts parts;
    const auto all = moments(w, everyone);
    parts.segments.push_back({"", to_posterior(all, options)});
    const auto segments =
        users_by_segment(context.dataset.user_fields, options.segment_field, rows.size());
    for (const auto& [name, users] : segments) {
        const auto own = moments(w, users);
        const auto n = static_cast<float>(users.size());
        const float share = n / (n + static_cast<float>(options.segment_shrinkage));
        const Moments shrunk{
            share * own.mean + (1 - share) * all.mean,
            share * own.covariance + (1 - share) * all.covariance
        };
        parts.segments.push_back({name, to_posterior(shrunk, options)});
    }
    parts.segment_field = options.segment_field;
    parts.noise_variance = std::max(1e-6F, mean_squared_residual(rows, w, v)) *
                           static_cast<float>(options.noise_scale);
    parts.forgetting = static_cast<float>(options.forgetting);
    if (context.content != nullptr) {
        parts.content_map = fit_content_map(*context.content, v, rows);
    }
    parts.item_vectors = std::move(vectors);
    return GaussianPrior{std::move(parts)};
}

}  // namespace hg::train
