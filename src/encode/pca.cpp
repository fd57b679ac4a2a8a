// SPDX-License-Identifier: Apache-2.0
#include "encode/pca.hpp"

#include "core/error.hpp"
#include "core/signed_index.hpp"

#include <Eigen/Dense>
#include <Eigen/SparseCore>

#include <algorithm>
#include <cmath>

namespace hg::encode {
namespace {

using Dense = Eigen::MatrixXd;
using Sparse = Eigen::SparseMatrix<double, Eigen::RowMajor>;
using Index = Eigen::Index;

/// Up to here the covariance fits easily and its eigenvectors are exact.
constexpr Index max_exact_columns = 512;

Sparse to_eigen(const SparseRows& rows) {
    Sparse matrix(index(rows.n_rows()), index(rows.n_cols));
    matrix.reserve(index(rows.values.size()));
    for (std::size_t r = 0; r < rows.n_rows(); ++r) {
        matrix.startVec(index(r));
        const auto columns = rows.row_columns(r);
        const auto values = rows.row_values(r);
        for (std::size_t i = 0; i < columns.size(); ++i) {
            matrix.insertBack(index(r), static_cast<Index>(columns[i])) =
                static_cast<double>(values[i]);
        }
    }
    matrix.finalize();
    return matrix;
}

Dense to_eigen(MatrixView<const float> rows) {
    Dense matrix(index(rows.rows()), index(rows.cols()));
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        for (std::size_t c = 0; c < rows.cols(); ++c) {
            matrix(index(r), index(c)) = static_cast<double>(rows(r, c));
        }
    }
    return matrix;
}

/// Rows x of `directions` with x . mean removed, for a matrix whose rows are not centred.
template <typename Rows>
struct Centred {
    const Rows& rows;
    Eigen::VectorXd mean;

    explicit Centred(const Rows& matrix) : rows(matrix) {
        const Eigen::VectorXd ones = Eigen::VectorXd::Ones(matrix.rows());
        mean = matrix.transpose() * ones / static_cast<double>(std::max<Index>(1, matrix.rows()));
    }

    [[nodiscard]] Dense times(const Dense& right) const {
        Dense out = rows * right;
        out.rowwise() -= (mean.transpose() * right).row(0);
        return out;
    }

    [[nodiscard]] Dense transposed_times(const Dense& right) const {
        Dense out = rows.transpose() * right;
        out.noalias() -= mean * right.colwise().sum();
        return out;
    }
};

struct Directions {
    Dense components;           // [n_cols, k]
    Eigen::VectorXd variances;  // [k], descending
};

template <typename Rows>
Directions exact(const Centred<Rows>& centred) {
    const Dense unit = Dense::Identity(centred.rows.cols(), centred.rows.cols());
    const Dense covariance = centred.transposed_times(centred.times(unit)) /
                             static_cast<double>(std::max<Index>(1, centred.rows.rows()));
    const Eigen::SelfAdjointEigenSolver<Dense> solver(covariance);
    return {solver.eigenvectors().rowwise().reverse(), solver.eigenvalues().reverse()};
}

Dense orthonormal(const Dense& matrix) {
    const Eigen::HouseholderQR<Dense> qr(matrix);
    return qr.householderQ() *
           Dense::Identity(matrix.rows(), std::min(matrix.rows(), matrix.cols()));
}

template <typename Rows>
Directions randomised(const Centred<Rows>& centred, Index dim, Rng& rng) {
    constexpr Index oversampling = 10;
    constexpr int power_iterations = 4;
    const Index width = std::min({dim + oversampling, centred.rows.rows(), centred.rows.cols()});
    Dense omega(centred.rows.cols(), width);
    for (Index c = 0; c < omega.cols(); ++c) {
        for (Index r = 0; r < omega.rows(); ++r) {
            omega(r, c) = rng.normal();
        }
    }
    Dense range = orthonormal(centred.times(omega));
    for (int i = 0; i < power_iterations; ++i) {
        range = orthonormal(centred.times(orthonormal(centred.transposed_times(range))));
    }
    const Dense small = centred.transposed_times(range);  // [n_cols, width]
    const Eigen::SelfAdjointEigenSolver<Dense> solver(Dense{small.transpose() * small});
    Directions found{
        small * solver.eigenvectors().rowwise().reverse(), solver.eigenvalues().reverse()
    };
    for (Index k = 0; k < width; ++k) {
        const double norm = found.components.col(k).norm();
        if (norm > 0) {
            found.components.col(k) /= norm;
        }
    }
    found.variances /= static_cast<double>(std::max<Index>(1, centred.rows.rows()));
    return found;
}

void fix_sign(Eigen::Ref<Eigen::VectorXd> component) {
    Index largest = 0;
    component.cwiseAbs().maxCoeff(&largest);
    if (component(largest) < 0) {
        component = -component;
    }
}

template <typename Rows>
Pca fit(const Rows& rows, std::size_t dim, Rng rng) {
    Pca pca;
    const Centred<Rows> centred(rows);
    pca.mean.resize(static_cast<std::size_t>(rows.cols()));
    std::ranges::transform(centred.mean, pca.mean.begin(), [](double v) {
        return static_cast<float>(v);
    });
    if (rows.rows() == 0 || rows.cols() == 0) {
        return pca;
    }
    Directions found =
        rows.cols() <= max_exact_columns ? exact(centred) : randomised(centred, index(dim), rng);
    constexpr double negligible = 1e-9;  // of the first variance: rounding, not signal
    Index kept = 0;
    while (kept < std::min(index(dim), found.variances.size()) &&
           found.variances(kept) > negligible * found.variances(0) && found.variances(kept) > 0) {
        ++kept;
    }
    pca.components = Matrix<float>(static_cast<std::size_t>(kept), pca.mean.size());
    for (Index k = 0; k < kept; ++k) {
        fix_sign(found.components.col(k));
        const auto row = pca.components.row(static_cast<std::size_t>(k));
        for (std::size_t c = 0; c < row.size(); ++c) {
            row[c] = static_cast<float>(found.components(index(c), k));
        }
        pca.variances.push_back(static_cast<float>(found.variances(k)));
    }
    return pca;
}

/// components . mean, taken from every projection.
std::vector<double> projected_mean(const Pca& pca) {
    std::vector<double> shift(pca.dim());
    for (std::size_t k = 0; k < pca.dim(); ++k) {
        const auto component = pca.components.row(k);
        for (std::size_t c = 0; c < component.size(); ++c) {
            shift[k] += static_cast<double>(component[c]) * static_cast<double>(pca.mean[c]);
        }
    }
    return shift;
}

}  // namespace

void Pca::project(const SparseRows& rows, MatrixView<float> out) const {
    HG_CHECK(rows.n_cols == mean.size(), "rows must have the columns the PCA was fitted on");
    const auto shift = projected_mean(*this);
    std::vector<double> sum(dim());
    for (std::size_t r = 0; r < rows.n_rows(); ++r) {
        std::ranges::fill(sum, 0.0);
        const auto columns = rows.row_columns(r);
        const auto values = rows.row_values(r);
        for (std::size_t k = 0; k < dim(); ++k) {
            const auto component = components.row(k);
            for (std::size_t i = 0; i < columns.size(); ++i) {
                sum[k] +=
                    static_cast<double>(values[i]) * static_cast<double>(component[columns[i]]);
            }
        }
        for (std::size_t k = 0; k < dim(); ++k) {
            out(r, k) = static_cast<float>(sum[k] - shift[k]);
        }
    }
}

void Pca::project(MatrixView<const float> rows, MatrixView<float> out) const {
    HG_CHECK(rows.cols() == mean.size(), "rows must have the columns the PCA was fitted on");
    const auto shift = projected_mean(*this);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        const auto row = rows.row(r);
        for (std::size_t k = 0; k < dim(); ++k) {
            const auto component = components.row(k);
            double sum = 0;
            for (std::size_t c = 0; c < row.size(); ++c) {
                sum += static_cast<double>(row[c]) * static_cast<double>(component[c]);
            }
            out(r, k) = static_cast<float>(sum - shift[k]);
        }
    }
}

Pca fit_pca(const SparseRows& rows, std::size_t dim, Rng rng) {
    return fit(to_eigen(rows), dim, rng);
}

Pca fit_pca(MatrixView<const float> rows, std::size_t dim, Rng rng) {
    return fit(to_eigen(rows), dim, rng);
}

void save_pca(const Pca& pca, SafetensorsWriter& state) {
    state.add<float>("pca.mean", std::span<const float>{pca.mean});
    state.add<float>("pca.components", pca.components.view());
    state.add<float>("pca.variances", std::span<const float>{pca.variances});
}

Pca load_pca(const SafetensorsFile& state) {
    const auto mean = value_or_throw(state.values<float>("pca.mean"));
    const auto components = value_or_throw(state.matrix<float>("pca.components"));
    const auto variances = value_or_throw(state.values<float>("pca.variances"));
    if (components.cols() != mean.size() || components.rows() != variances.size()) {
        throw Error{
            ErrorCode::corrupt,
            "the tensors pca.* do not fit each other",
            "run honeyguide encode again"
        };
    }
    Pca pca;
    pca.mean = {mean.begin(), mean.end()};
    pca.variances = {variances.begin(), variances.end()};
    const std::span<const float> flat{components.data(), components.rows() * components.cols()};
    pca.components =
        Matrix<float>(components.rows(), components.cols(), {flat.begin(), flat.end()});
    return pca;
}

}  // namespace hg::encode
