// SPDX-License-Identifier: Apache-2.0
// significance: is one run better than another for the same users, or is it luck?
//
// Differences are taken per user and users are resampled (percentile bootstrap; Efron, 1979), so
// what both runs find hard cancels out. Beside it the t-interval and its p-value; holm() corrects
// many p-values at once (Holm, 1979). Seeded: the same seed gives the same interval.
//
//   const auto d = paired_difference(ndcg_ease, ndcg_popularity, rng);
//   d.bootstrap.low > 0;                                   // better, with 95 % confidence
#pragma once

#include "core/rng.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::evaluate {

struct Interval {
    double low = 0;
    double high = 0;
};

struct PairedDifference {
    double mean = 0;     // of a - b
    Interval bootstrap;  // percentile
    Interval t;          // Student
    double t_statistic = 0;
    double p_value = 1;  // two-sided paired t test
    std::size_t n = 0;
};

struct BootstrapOptions {
    std::size_t resamples = 2000;
    double level = 0.95;
};

/// a and b hold the same users in the same order.
[[nodiscard]] PairedDifference paired_difference(
    std::span<const double> a, std::span<const double> b, Rng rng, BootstrapOptions options = {}
);
/// Percentile interval of the mean.
[[nodiscard]] Interval bootstrap_interval(
    std::span<const double> values, Rng rng, BootstrapOptions options = {}
);
/// mean +- t * s / sqrt(n); the mean twice when n < 2.
[[nodiscard]] Interval t_interval(std::span<const double> values, double level = 0.95);
/// The q-quantile of sorted values, linear between order statistics as numpy's default.
[[nodiscard]] double quantile_of_sorted(std::span<const double> sorted, double q);
/// Adjusted p-values, in the order given: reject those <= alpha.
[[nodiscard]] std::vector<double> holm(std::span<const double> p_values);

}  // namespace hg::evaluate
