// SPDX-License-Identifier: Apache-2.0
#include "evaluate/intervals.hpp"

#include "core/error.hpp"
#include "core/mean.hpp"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace hg::evaluate {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The probability left outside one end.
double tail_of(double level, Sides sides) {
    return sides == Sides::both ? (1 - level) / 2 : 1 - level;
}

Interval cut(Interval interval, Sides sides) {
    return {
        .low = sides == Sides::upper ? -infinity : interval.low,
        .high = sides == Sides::lower ? infinity : interval.high,
    };
}

double mean_squared_deviation(std::span<const double> rows, double mean) {
    double squares = 0;
    for (const double row : rows) {
        squares += (row - mean) * (row - mean);
    }
    return squares / static_cast<double>(rows.size() - 1);
}

/// How far the mean of n rows of this range may be off, with probability `tail` of being wrong.
double bounded_reach(
    IntervalKind kind, std::span<const double> rows, double mean, const IntervalOptions& options
) {
    const auto n = static_cast<double>(rows.size());
    const double range = options.row_high - options.row_low;
    const double tail = tail_of(options.level, options.sides);
    if (kind == IntervalKind::hoeffding) {
        return range * std::sqrt(std::log(1 / tail) / (2 * n));
    }
    if (rows.size() < 2) {
        return infinity;
    }
    // sqrt(2 V ln(2 / tail) / n) + 7 M ln(2 / tail) / (3 (n - 1))
    const double log_term = std::log(2 / tail);
    return std::sqrt(2 * mean_squared_deviation(rows, mean) * log_term / n) +
           7 * range * log_term / (3 * (n - 1));
}

void check_range(std::span<const double> rows, const IntervalOptions& options) {
    for (const double row : rows) {
        if (!(row >= options.row_low && row <= options.row_high)) {
            throw Error{
                ErrorCode::invalid_argument,
                "a row lies outside the range stated for the bound",
                "state the range that follows from the largest weight and reward, or use t"
            };
        }
    }
}

template <typename Draw>
Interval percentile_interval(const IntervalOptions& options, Draw draw) {
    std::vector<double> estimates(options.resamples);
    std::ranges::generate(estimates, draw);
    std::ranges::sort(estimates);
    const double tail = tail_of(options.level, options.sides);
    return {
        .low = quantile_of_sorted(estimates, tail),
        .high = quantile_of_sorted(estimates, 1 - tail),
    };
}

}  // namespace

Interval mean_interval(
    IntervalKind kind, std::span<const double> rows, const IntervalOptions& options
) {
    if (rows.empty()) {
        return {.low = -infinity, .high = infinity};
    }
    if (kind == IntervalKind::t) {
        return clustered_mean(rows).interval(options.level, options.sides);
    }
    if (kind == IntervalKind::bootstrap) {
        const Contributions plain{.base = {rows.begin(), rows.end()}};
        return bootstrap_interval(plain, options);
    }
    check_range(rows, options);
    const double mean = mean_of(rows);
    const double reach = bounded_reach(kind, rows, mean, options);
    return cut({.low = mean - reach, .high = mean + reach}, options.sides);
}

Interval bootstrap_interval(const Contributions& contributions, const IntervalOptions& options) {
    const std::size_t n = contributions.base.size();
    if (n == 0 || options.resamples == 0) {
        return {.low = -infinity, .high = infinity};
    }
    Rng rng{options.seed};
    const auto draw = [&] {
        double base = 0;
        double numerator = 0;
        double denominator = 0;
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t row = rng.below(n);
            base += contributions.base[row];
            if (contributions.is_ratio()) {
                numerator += contributions.numerator[row];
                denominator += contributions.denominator[row];
            }
        }
        const double ratio = denominator > 0 ? numerator / denominator : 0;
        return base / static_cast<double>(n) + ratio;
    };
    return cut(percentile_interval(options, draw), options.sides);
}

Interval MeanError::interval(double level, Sides sides) const {
    if (n_units < 2) {
        return {.low = -infinity, .high = infinity};
    }
    const boost::math::students_t student{static_cast<double>(n_units - 1)};
    const double reach = boost::math::quantile(student, 1 - tail_of(level, sides)) * standard_error;
    return cut({.low = mean - reach, .high = mean + reach}, sides);
}

MeanError clustered_mean(std::span<const double> rows, std::span<const std::uint32_t> units) {
    HG_CHECK(units.empty() || units.size() == rows.size(), "one unit per row");
    if (rows.empty()) {
        return {};
    }
    MeanError result{.mean = mean_of(rows), .n_units = rows.size()};
    const auto n = static_cast<double>(rows.size());
    double squares = 0;
    if (units.empty()) {
        for (const double row : rows) {
            squares += (row - result.mean) * (row - result.mean);
        }
    } else {
        std::unordered_map<std::uint32_t, double> sums;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            sums[units[i]] += rows[i] - result.mean;
        }
        for (const auto& [unit, sum] : sums) {
            squares += sum * sum;
        }
        result.n_units = sums.size();
    }
    const auto c = static_cast<double>(result.n_units);
    result.standard_error = c > 1 ? std::sqrt(squares * c / (c - 1)) / n : 0;
    return result;
}

Interval wilson_interval(std::size_t successes, std::size_t n, double level) {
    HG_CHECK(n > 0 && successes <= n, "a share of at least one trial");
    const double z = boost::math::quantile(boost::math::normal{}, 1 - tail_of(level, Sides::both));
    const auto trials = static_cast<double>(n);
    const double share = static_cast<double>(successes) / trials;
    const double pull = z * z / trials;
    const double center = (share + pull / 2) / (1 + pull);
    const double reach =
        z * std::sqrt(share * (1 - share) / trials + pull / (4 * trials)) / (1 + pull);
    return {.low = center - reach, .high = center + reach};
}

}  // namespace hg::evaluate
