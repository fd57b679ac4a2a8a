// SPDX-License-Identifier: Apache-2.0
#include "train/truncated_svd.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace hg::train {
namespace {

using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// X' (X Q): one pass over the users, both products at once.
RowMatrix gram_product(const std::vector<std::vector<std::uint32_t>>& rows, const RowMatrix& q) {
    RowMatrix out = RowMatrix::Zero(q.rows(), q.cols());
    Eigen::RowVectorXf user(q.cols());
    for (const auto& items : rows) {
        user.setZero();
        for (const auto i : items) {
            user += q.row(i);
        }
        for (const auto i : items) {
            out.row(i) += user;
        }
    }
    return out;
}

RowMatrix orthonormal(const RowMatrix& y) {
    const Eigen::MatrixXf columns = y;
    Eigen::HouseholderQR<Eigen::MatrixXf> qr{columns};
    return qr.householderQ() * Eigen::MatrixXf::Identity(columns.rows(), columns.cols());
}

}  // namespace

std::vector<std::vector<std::uint32_t>> liked_items(const data::InteractionLog& log) {
    std::vector<std::vector<std::uint32_t>> rows(log.n_users());
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto history = log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.weight(i) > 0) {
                rows[u].push_back(history.items[i].value);
            }
        }
        std::ranges::sort(rows[u]);
        const auto repeated = std::ranges::unique(rows[u]);
        rows[u].erase(repeated.begin(), repeated.end());
    }
    return rows;
}

TruncatedSvd truncated_svd(
    const data::InteractionLog& log,
    SvdOptions options,
    Rng rng,
    ProgressSink& progress,
    std::stop_token stop
) {
    const auto rows = liked_items(log);
    constexpr std::size_t extra_columns = 16;
    const auto n = log.n_items();
    const auto rank = std::min(options.rank, n);
    const auto width = std::min(rank + extra_columns, n);
    RowMatrix q{static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(width)};
    for (Eigen::Index i = 0; i < q.size(); ++i) {
        q.data()[i] = static_cast<float>(rng.normal());
    }
    Progress bar{progress, "svd", options.power_iterations, "iterations"};
    for (std::size_t i = 0; i < options.power_iterations; ++i) {
        if (stop.stop_requested()) {
            throw Error{ErrorCode::interrupted, "stopped during the SVD", "run it again"};
        }
        q = orthonormal(gram_product(rows, q));
        bar.advance();
    }
    // Rayleigh-Ritz: the eigenvectors of Q' X' X Q rotate Q onto the singular vectors.
    const Eigen::MatrixXf small = q.transpose() * gram_product(rows, q);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> eigen{(small + small.transpose()) / 2};
    const RowMatrix rotated = q * eigen.eigenvectors();
    TruncatedSvd result{.right = Matrix<float>(n, rank), .singular = {}};
    for (std::size_t c = 0; c < rank; ++c) {
        const auto source = static_cast<Eigen::Index>(width - 1 - c);  // eigenvalues ascend
        result.singular.push_back(std::sqrt(std::max(0.0F, eigen.eigenvalues()[source])));
        for (std::size_t i = 0; i < n; ++i) {
            result.right(i, c) = rotated(static_cast<Eigen::Index>(i), source);
        }
    }
    return result;
}

}  // namespace hg::train
