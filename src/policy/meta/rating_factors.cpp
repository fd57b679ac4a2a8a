// SPDX-License-Identifier: Apache-2.0
#include "policy/meta/rating_factors.hpp"

#include "policy/meta/content_ridge.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <vector>

namespace hg::policy {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double first_scale = 0.3;     // of random vectors: enough to tell factors apart
constexpr std::int64_t noise_from = 4;  // iterations before s2 moves: first the vectors take shape
constexpr double covariance_floor = 1e-6;

VectorXd count_items(std::span<const Rating> ratings, Index n_items) {
    VectorXd counts = VectorXd::Zero(n_items);
    for (const auto& r : ratings) {
        counts[r.item] += 1;
    }
    return counts;
}

class FactorFit {
  public:
    FactorFit(
        std::span<const Rating> residuals,
        MatrixView<const float> content,
        const RatingFactorOptions& options,
        Rng rng
    )
        : residuals_(residuals),
          n_items_(static_cast<Index>(content.rows())),
          d_(static_cast<Index>(options.n_factors)),
          vectors_(n_items_, d_ + 1),
          variances_(static_cast<std::size_t>(n_items_), MatrixXd::Zero(d_, d_)),
          expected_(MatrixXd::Zero(n_items_, d_)),
          user_mean_(VectorXd::Zero(d_ + 1)),
          counts_(count_items(residuals, n_items_)),
          content_(to_eigen(content), (counts_.array() > 0).cast<double>(), options.content_ridge) {
        for (Index i = 0; i < n_items_; ++i) {
            vectors_(i, 0) = 1;  // the user's bias
            for (Index j = 1; j <= d_; ++j) {
                vectors_(i, j) = first_scale * rng.normal();
            }
        }
        double squares = 0;
        for (const auto& r : residuals) {
            squares += static_cast<double>(r.value) * static_cast<double>(r.value);
        }
        noise_ = std::max(squares / static_cast<double>(residuals.size()), covariance_floor);
        user_covariance_ = MatrixXd::Identity(d_ + 1, d_ + 1) * (0.2 * noise_);
    }

    void iterate(std::int64_t iteration) {
        const auto sums = update_users();
        if (iteration >= noise_from) {
            noise_ =
                std::max(sums.error / static_cast<double>(residuals_.size()), covariance_floor);
        }
        update_items(sums);
        update_expected();
    }

    [[nodiscard]] Matrix<float> means() const {
        Matrix<float> out(static_cast<std::size_t>(n_items_), static_cast<std::size_t>(d_));
        for (Index i = 0; i < n_items_; ++i) {
            for (Index j = 0; j < d_; ++j) {
                out(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) =
                    static_cast<float>(vectors_(i, j + 1));
            }
        }
        return out;
    }

  private:
    /// What items need to know of their users.
    struct ItemSums {
        std::vector<MatrixXd> second;  // sum E (1, u)(1, u)'
        MatrixXd cross;                // sum r E (1, u)
        double error = 0;              // sum E (r - ...)^2
    };

    struct User {
        VectorXd mean;     // E (b, u)
        MatrixXd second;   // E (b, u)(b, u)'
        double error = 0;  // sum E (r - ...)^2
    };

    [[nodiscard]] User infer_user(
        std::span<const Rating> own, const MatrixXd& precision, const VectorXd& pull
    ) const {
        MatrixXd gram = MatrixXd::Zero(d_ + 1, d_ + 1);
        VectorXd cross = VectorXd::Zero(d_ + 1);
        double squares = 0;
        for (const auto& r : own) {
            const auto v = vectors_.row(r.item);
            const auto value = static_cast<double>(r.value);
            gram.noalias() += v.transpose() * v;
            gram.bottomRightCorner(d_, d_) += variances_[r.item];
            cross += value * v.transpose();
            squares += value * value;
        }
        const MatrixXd covariance =
            (precision + gram / noise_).llt().solve(MatrixXd::Identity(d_ + 1, d_ + 1));
        User user{.mean = covariance * (pull + cross / noise_), .second = covariance};
        user.second += user.mean * user.mean.transpose();
        user.error = squares - 2 * user.mean.dot(cross) + gram.cwiseProduct(user.second).sum();
        return user;
    }

    ItemSums update_users() {
        ItemSums sums{
            .second = std::vector<MatrixXd>(
                static_cast<std::size_t>(n_items_), MatrixXd::Zero(d_ + 1, d_ + 1)
            ),
            .cross = MatrixXd::Zero(n_items_, d_ + 1),
        };
        const MatrixXd precision = user_covariance_.llt().solve(MatrixXd::Identity(d_ + 1, d_ + 1));
        const VectorXd pull = precision * user_mean_;
        VectorXd mean_sum = VectorXd::Zero(d_ + 1);
        MatrixXd second_sum = MatrixXd::Zero(d_ + 1, d_ + 1);
        double n_users = 0;
        for (std::size_t from = 0; from < residuals_.size();) {
            auto to = from;
            while (to < residuals_.size() && residuals_[to].user == residuals_[from].user) {
                ++to;
            }
            const auto user = infer_user(residuals_.subspan(from, to - from), precision, pull);
            for (std::size_t i = from; i < to; ++i) {
                const auto& r = residuals_[i];
                sums.second[r.item] += user.second;
                sums.cross.row(r.item) += static_cast<double>(r.value) * user.mean.transpose();
            }
            sums.error += user.error;
            mean_sum += user.mean;
            second_sum += user.second;
            n_users += 1;
            from = to;
        }
        user_mean_ = mean_sum / n_users;
        user_covariance_ = second_sum / n_users - user_mean_ * user_mean_.transpose();
        user_covariance_.diagonal().array() += covariance_floor;
        return sums;
    }

    /// v_i ~ N(expected_i, I) given its ratings; without any, what its content says.
    void update_items(const ItemSums& sums) {
        const MatrixXd identity = MatrixXd::Identity(d_, d_);
        for (Index i = 0; i < n_items_; ++i) {
            const auto at = static_cast<std::size_t>(i);
            const MatrixXd& second = sums.second[at];
            variances_[at] =
                (identity + second.bottomRightCorner(d_, d_) / noise_).llt().solve(identity);
            const VectorXd cross =
                sums.cross.row(i).tail(d_).transpose() - second.col(0).tail(d_);  // without b_u
            vectors_.row(i).tail(d_) =
                (variances_[at] * (cross / noise_ + expected_.row(i).transpose())).transpose();
        }
    }

    /// C by ridge, and the scale of the vectors back to 1, which the users' covariance takes over.
    void update_expected() {
        expected_ = content_.fit(vectors_.rightCols(d_));
        const double n = std::max(1.0, static_cast<double>((counts_.array() > 0).count()));
        for (Index j = 0; j < d_; ++j) {
            double squares = 0;
            for (Index i = 0; i < n_items_; ++i) {
                if (counts_[i] > 0) {
                    const double away = vectors_(i, j + 1) - expected_(i, j);
                    squares += away * away + variances_[static_cast<std::size_t>(i)](j, j);
                }
            }
            rescale(j, std::max(std::sqrt(squares / n), covariance_floor));
        }
        for (Index i = 0; i < n_items_; ++i) {
            if (counts_[i] == 0) {
                vectors_.row(i).tail(d_) = expected_.row(i);
                variances_[static_cast<std::size_t>(i)] = MatrixXd::Identity(d_, d_);
            }
        }
    }

    void rescale(Index j, double scale) {
        vectors_.col(j + 1) /= scale;
        expected_.col(j) /= scale;
        for (auto& variance : variances_) {
            variance.row(j) /= scale;
            variance.col(j) /= scale;
        }
        user_mean_[j + 1] *= scale;
        user_covariance_.row(j + 1) *= scale;
        user_covariance_.col(j + 1) *= scale;
    }

    std::span<const Rating> residuals_;
    Index n_items_;
    Index d_;
    RowMatrix vectors_;                // [n_items, d + 1], the first column 1
    std::vector<MatrixXd> variances_;  // of v_i
    MatrixXd expected_;                // C f_i
    VectorXd user_mean_;
    MatrixXd user_covariance_;
    VectorXd counts_;
    ContentRidge content_;
    double noise_ = 1;
};

}  // namespace

Matrix<float> fit_rating_factors(
    std::span<const Rating> residuals,
    MatrixView<const float> content,
    const RatingFactorOptions& options,
    Rng rng
) {
    if (residuals.empty() || options.n_factors == 0) {
        return {content.rows(), options.n_factors};
    }
    FactorFit fit{residuals, content, options, rng};
    for (std::int64_t iteration = 0; iteration < options.iterations; ++iteration) {
        fit.iterate(iteration);
    }
    return fit.means();
}

}  // namespace hg::policy
