// SPDX-License-Identifier: Apache-2.0
// hazard: the chance to leave after a decision, by ridge logistic regression.
//
// Why not one more network: leaving is rare (once a session) and often a threshold in what was
// consumed so far, which asks for large weights in few directions. Newton's method finds them where
// a few hundred steps of gradient do not; and the small chances of early leaving, which decide how
// long sessions get, come out right. The ridge is chosen by the validation rows.
//
//   const Hazard hazard = fit_hazard(train, validation);
//   p = sigmoid(hazard.bias + dot(hazard.weights, x));
#pragma once

#include "core/matrix.hpp"

#include <cstdint>
#include <vector>

namespace hg::simulate {

/// Rows of what is known after a decision, and whether the user left then.
struct HazardRows {
    Matrix<float> inputs;
    std::vector<std::uint8_t> left;
};

struct Hazard {
    std::vector<float> weights;
    float bias = 0;
};

/// O(rows * columns^2) a Newton step, a dozen of them for each of four ridges. Rows where nobody
/// ever leaves give a constant, tiny chance.
[[nodiscard]] Hazard fit_hazard(const HazardRows& train, const HazardRows& validation);

}  // namespace hg::simulate
