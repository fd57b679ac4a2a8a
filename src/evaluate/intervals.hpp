// SPDX-License-Identifier: Apache-2.0
// intervals: how far an off-policy estimate may be from the truth.
//
// Four kinds, from the narrowest to the safest: percentile bootstrap (Efron, 1979) and Student's t
// hold for large n; empirical Bernstein (Maurer and Pontil, 2009, theorem 4) and Hoeffding (1963)
// hold for every n, but need the range a row can take, stated before looking. A one-sided bound of
// level L is the same end of the two-sided interval of level 2 L - 1.
//
// Rows that belong together (the slots of a slate, the decisions of a user) are not independent:
// give their unit and clustered_mean counts units instead of rows.
//
//   const auto bound = mean_interval(
//       IntervalKind::t, rows, {.level = 0.95, .sides = Sides::lower});  // bound.low
#pragma once

#include "core/rng.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/significance.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

enum class IntervalKind : std::uint8_t { bootstrap, t, empirical_bernstein, hoeffding };

/// lower and upper: the other end is infinite.
enum class Sides : std::uint8_t { both, lower, upper };

struct IntervalOptions {
    double level = 0.95;
    Sides sides = Sides::both;
    double row_low = 0;  // the range of one row, for empirical Bernstein and Hoeffding
    double row_high = 1;
    std::size_t resamples = 2000;  // of the bootstrap
    std::uint64_t seed = 7;
};

/// Of the mean of the rows. Throws Error when a kind that needs the range meets a row outside it.
[[nodiscard]] Interval mean_interval(
    IntervalKind kind, std::span<const double> rows, const IntervalOptions& options = {}
);

/// Percentile bootstrap of an estimate; a ratio is recomputed in every resample.
[[nodiscard]] Interval bootstrap_interval(
    const Contributions& contributions, const IntervalOptions& options = {}
);

struct MeanError {
    double mean = 0;
    double standard_error = 0;
    std::size_t n_units = 0;  // independent ones

    /// mean +- t with n_units - 1 degrees of freedom; infinite when n_units < 2.
    [[nodiscard]] Interval interval(double level, Sides sides = Sides::both) const;
};

/// The mean of rows and its standard error, rows of one unit counted as dependent (Liang and Zeger,
/// 1986; with C / (C - 1)). `units` empty = every row its own; they need not be dense or sorted.
[[nodiscard]] MeanError clustered_mean(
    std::span<const double> rows, std::span<const std::uint32_t> units = {}
);

/// Of a share of successes (Wilson, 1927); n >= 1.
[[nodiscard]] Interval wilson_interval(std::size_t successes, std::size_t n, double level = 0.95);

}  // namespace hg::evaluate
