// SPDX-License-Identifier: Apache-2.0
// learning_curve: a curve over the number k of events known, said in one number.
//
//   area({0, 1, 2, 5, 10}, ndcg)                 // mean height over log2(k + 1)
//   first_to_reach({0, 1, 2, 5, 10}, ndcg, .1)   // events needed
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace hg::app {

/// Trapezoids over x = log2(k + 1), divided by the range of x: each doubling of what is known counts
/// the same. `ks` ascend, as many as `values`; one point is its own area, none has 0.
[[nodiscard]] double area(std::span<const std::size_t> ks, std::span<const double> values);

/// The smallest k at which the curve is at `level` or above.
[[nodiscard]] std::optional<std::size_t> first_to_reach(
    std::span<const std::size_t> ks, std::span<const double> values, double level
);

}  // namespace hg::app
