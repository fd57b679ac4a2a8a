// SPDX-License-Identifier: Apache-2.0
#include "evaluate/overlap.hpp"

#include "core/error.hpp"
#include "evaluate/intervals.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace hg::evaluate {
namespace {

double sum_of_largest(std::vector<double> weights, std::size_t count) {
    const auto edge = weights.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(weights.begin(), edge - 1, weights.end(), std::greater{});
    return std::accumulate(weights.begin(), edge, 0.0);
}

double distance_from_one(double mean, double standard_error) {
    const double distance = mean - 1;
    // The policy that made the log: its weights are 1 up to the rounding of the logged propensities, and
    // so is what they spread.
    constexpr double rounding = 1e-6;
    if (std::abs(distance) < rounding) {
        return 0;
    }
    return standard_error > 0 ? distance / standard_error
                              : std::copysign(std::numeric_limits<double>::infinity(), distance);
}

}  // namespace

Overlap measure_overlap(std::span<const double> weights, std::span<const std::uint32_t> units) {
    Overlap overlap{.n = weights.size()};
    if (weights.empty()) {
        return overlap;
    }
    const auto mean = clustered_mean(weights, units);
    overlap.mean_weight = mean.mean;
    overlap.mean_weight_error = mean.standard_error;
    overlap.mean_weight_z = distance_from_one(mean.mean, mean.standard_error);
    overlap.largest_weight = std::ranges::max(weights);
    const auto n = static_cast<double>(weights.size());
    overlap.unused_share = static_cast<double>(std::ranges::count(weights, 0.0)) / n;
    const double sum = mean.mean * n;
    if (sum > 0) {
        const double squares =
            std::inner_product(weights.begin(), weights.end(), weights.begin(), 0.0);
        overlap.effective_rows = sum * sum / squares;
        overlap.largest_share = overlap.largest_weight / sum;
        const std::size_t percent = std::max<std::size_t>(1, weights.size() / 100);
        overlap.top_percent_share = sum_of_largest({weights.begin(), weights.end()}, percent) / sum;
    }
    return overlap;
}

std::vector<double> supported_mass(
    std::span<const std::size_t> offsets,
    std::span<const double> propensities,
    std::span<const double> probabilities,
    double floor
) {
    HG_CHECK(!offsets.empty(), "offsets end with the number of candidates");
    HG_CHECK(
        propensities.size() == offsets.back() && probabilities.size() == offsets.back(),
        "one propensity and one probability per candidate"
    );
    std::vector<double> mass(offsets.size() - 1);
    for (std::size_t i = 0; i < mass.size(); ++i) {
        for (std::size_t a = offsets[i]; a < offsets[i + 1]; ++a) {
            mass[i] += propensities[a] >= floor ? probabilities[a] : 0;
        }
    }
    return mass;
}

}  // namespace hg::evaluate
