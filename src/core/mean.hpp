// SPDX-License-Identifier: Apache-2.0
// mean: of numbers; 0 of none.
#pragma once

#include <numeric>
#include <span>

namespace hg {

[[nodiscard]] inline double mean_of(std::span<const double> values) {
    return values.empty() ? 0
                          : std::accumulate(values.begin(), values.end(), 0.0) /
                                static_cast<double>(values.size());
}

}  // namespace hg
