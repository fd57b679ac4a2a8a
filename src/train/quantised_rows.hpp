// SPDX-License-Identifier: Apache-2.0
// QuantisedRows: a matrix in 16-bit integers, each row with a scale of its own: half the bytes of
// float32, for sums of rows that wait for memory.
//
// x[r, c] is kept as round(x / s_r), s_r = max_c |x[r, c]| / 32767: off by s_r / 2 at most. Immutable,
// thread-safe.
//
//   const QuantisedRows rows{matrix};
//   rows.add_weighted(weights, out);       // out += weights . matrix
#pragma once

#include "core/matrix.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::train {

class QuantisedRows {
  public:
    QuantisedRows() = default;
    explicit QuantisedRows(MatrixView<const float> rows);

    [[nodiscard]] std::size_t rows() const noexcept { return values_.rows(); }

    [[nodiscard]] std::size_t cols() const noexcept { return values_.cols(); }

    /// out [cols] += sum_r weights[r] x[r], weights [rows]. Rows of weight 0 are not read.
    void add_weighted(std::span<const float> weights, std::span<float> out) const;

  private:
    Matrix<std::int16_t> values_;
    std::vector<float> scales_;  // [rows]
};

}  // namespace hg::train
