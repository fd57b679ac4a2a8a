// SPDX-License-Identifier: Apache-2.0
// sigmoid: a logit as a probability.
#pragma once

#include <cmath>

namespace hg::simulate {

[[nodiscard]] inline double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

}  // namespace hg::simulate
