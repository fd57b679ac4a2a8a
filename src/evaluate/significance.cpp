// SPDX-License-Identifier: Apache-2.0
#include "evaluate/significance.hpp"

#include "core/error.hpp"
#include "core/mean.hpp"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::evaluate {
namespace {

double standard_error(std::span<const double> values) {
    if (values.size() < 2) {
        return 0;
    }
    const double mean = mean_of(values);
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    const auto n = static_cast<double>(values.size());
    return std::sqrt(squares / (n - 1) / n);
}

}  // namespace

double quantile_of_sorted(std::span<const double> sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const auto above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

Interval bootstrap_interval(std::span<const double> values, Rng rng, BootstrapOptions options) {
    if (values.empty() || options.resamples == 0) {
        return {};
    }
    std::vector<double> means(options.resamples);
    for (auto& mean : means) {
        double sum = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            sum += values[rng.below(values.size())];
        }
        mean = sum / static_cast<double>(values.size());
    }
    std::ranges::sort(means);
    const double tail = (1 - options.level) / 2;
    return {.low = quantile_of_sorted(means, tail), .high = quantile_of_sorted(means, 1 - tail)};
}

Interval t_interval(std::span<const double> values, double level) {
    const double mean = mean_of(values);
    if (values.size() < 2) {
        return {.low = mean, .high = mean};
    }
    const boost::math::students_t student{static_cast<double>(values.size() - 1)};
    const double reach =
        boost::math::quantile(student, 1 - (1 - level) / 2) * standard_error(values);
    return {.low = mean - reach, .high = mean + reach};
}

PairedDifference paired_difference(
    std::span<const double> a, std::span<const double> b, Rng rng, BootstrapOptions options
) {
    HG_CHECK(a.size() == b.size(), "paired values are of the same users");
    std::vector<double> differences(a.size());
    std::ranges::transform(a, b, differences.begin(), std::minus{});
    PairedDifference result{
        .mean = mean_of(differences),
        .bootstrap = bootstrap_interval(differences, rng, options),
        .t = t_interval(differences, options.level),
        .n = differences.size(),
    };
    if (const double error = standard_error(differences); error > 0) {
        const boost::math::students_t student{static_cast<double>(differences.size() - 1)};
        result.t_statistic = result.mean / error;
        const double tail =
            boost::math::cdf(boost::math::complement(student, std::abs(result.t_statistic)));
        result.p_value = std::min(1.0, 2 * tail);
    }
    return result;
}

std::vector<double> holm(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t x, std::size_t y) {
        return p_values[x] < p_values[y];
    });
    std::vector<double> adjusted(p_values.size());
    double highest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto still_open = static_cast<double>(order.size() - i);
        highest = std::max(highest, std::min(1.0, still_open * p_values[order[i]]));
        adjusted[order[i]] = highest;
    }
    return adjusted;
}

}  // namespace hg::evaluate
