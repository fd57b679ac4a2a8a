// SPDX-License-Identifier: Apache-2.0
// ContentRidge: a linear map from an item's content to what ratings say of it, for items that have
// none. Private to this room's ratings part.
#pragma once

#include "core/matrix.hpp"
#include "core/signed_index.hpp"

#include <Eigen/Dense>

#include <cstddef>

namespace hg::policy {

[[nodiscard]] inline Eigen::MatrixXd to_eigen(MatrixView<const float> matrix) {
    using RowMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const RowMatrix, 0, Eigen::OuterStride<>> map{
        matrix.data(),
        index(matrix.rows()),
        index(matrix.cols()),
        Eigen::OuterStride<>{index(matrix.stride())}
    };
    return map.cast<double>();
}

/// X'WX + ridge I, factored once; columns of X: 1, then the content.
class ContentRidge {
  public:
    /// `content` [n_items, c]; items of weight 0 teach nothing.
    ContentRidge(const Eigen::MatrixXd& content, const Eigen::VectorXd& weights, double ridge)
        : x_(content.rows(), content.cols() + 1), weights_(weights) {
        x_ << Eigen::VectorXd::Ones(content.rows()), content;
        Eigen::MatrixXd gram = x_.transpose() * weights_.asDiagonal() * x_;
        gram.diagonal().array() += ridge;
        solver_.compute(gram);
    }

    /// Fitted values for every item, [n_items, targets].
    [[nodiscard]] Eigen::MatrixXd fit(const Eigen::MatrixXd& targets) const {
        return x_ * solver_.solve(x_.transpose() * weights_.asDiagonal() * targets);
    }

  private:
    Eigen::MatrixXd x_;
    Eigen::VectorXd weights_;
    Eigen::LLT<Eigen::MatrixXd> solver_;
};

}  // namespace hg::policy
