// SPDX-License-Identifier: Apache-2.0
// Rows of length 1, so that a dot product is a cosine; rows that are not there stay 0.
#pragma once

#include "core/matrix.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hg::encode {

/// Rows whose `present` is 0 become 0; a row of zeros stays so.
inline void scale_rows_to_unit(MatrixView<float> rows, std::span<const std::uint8_t> present) {
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        double square = 0;
        for (const float value : rows.row(r)) {
            square += static_cast<double>(value) * static_cast<double>(value);
        }
        const double scale = present[r] != 0 && square > 0 ? 1.0 / std::sqrt(square) : 0.0;
        for (float& value : rows.row(r)) {
            value = static_cast<float>(static_cast<double>(value) * scale);
        }
    }
}

}  // namespace hg::encode
