// SPDX-License-Identifier: Apache-2.0
// dense: the two products every vector model needs, on views, without torch (Eigen behind it).
//
//   multiply_transposed(users, items, scores);        // scores = users . items'
#pragma once

#include "core/matrix.hpp"

#include <span>

namespace hg::train {

/// out [m, n] = a [m, d] . b [n, d]'. Thread-safe; one thread.
void multiply_transposed(
    MatrixView<const float> a, MatrixView<const float> b, MatrixView<float> out
);

/// Scales the vector to length 1; a zero vector stays zero.
void normalise(std::span<float> vector);

}  // namespace hg::train
