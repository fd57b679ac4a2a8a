// SPDX-License-Identifier: Apache-2.0
// PCA: the few directions along which rows differ most, for sparse and dense input.
//
// Few columns: eigenvectors of the covariance. Many: randomised range finder (Halko, Martinsson and
// Tropp, 2011, algorithms 4.4 and 5.1) with the mean taken out implicitly, so sparse input stays
// sparse. The sign of a component is fixed (its largest weight is positive): same input and seed,
// same bytes.
//
//   const Pca pca = fit_pca(rows, 64, rng);
//   pca.project(rows, out.view());
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "encode/sparse_rows.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::encode {

struct Pca {
    std::vector<float> mean;       // [n_cols]
    Matrix<float> components;      // [dim, n_cols], orthonormal rows, most variance first
    std::vector<float> variances;  // [dim]

    [[nodiscard]] std::size_t dim() const noexcept { return components.rows(); }

    /// out: [n_rows, dim()]. A row's result does not depend on the other rows.
    void project(const SparseRows& rows, MatrixView<float> out) const;
    void project(MatrixView<const float> rows, MatrixView<float> out) const;
};

/// At most `dim` components; fewer where the rows do not vary in that many directions.
[[nodiscard]] Pca fit_pca(const SparseRows& rows, std::size_t dim, Rng rng);
[[nodiscard]] Pca fit_pca(MatrixView<const float> rows, std::size_t dim, Rng rng);

/// Tensors pca.mean, pca.components, pca.variances.
void save_pca(const Pca& pca, SafetensorsWriter& state);
/// Throws Error.
[[nodiscard]] Pca load_pca(const SafetensorsFile& state);

}  // namespace hg::encode
