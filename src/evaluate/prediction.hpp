// SPDX-License-Identifier: Apache-2.0
// prediction: how good predicted chances and distributions are: log loss, AUC, calibration,
// Kolmogorov-Smirnov distance.
//
//   const double auc = area_under_curve(chances, outcomes);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::evaluate {

/// Mean of -log p(outcome), in nats; chances are kept 1e-6 from 0 and 1.
[[nodiscard]] double log_loss(
    std::span<const double> chances, std::span<const std::uint8_t> outcomes
);

/// P(a positive is ranked above a negative), ties one half; NaN without both. O(n log n).
[[nodiscard]] double area_under_curve(
    std::span<const double> chances, std::span<const std::uint8_t> outcomes
);

/// One of the groups that predictions are cut into, by rank, equally large.
struct CalibrationBin {
    double mean_chance = 0;
    double share = 0;  // of outcomes
    std::size_t n = 0;
};

[[nodiscard]] std::vector<CalibrationBin> calibration_bins(
    std::span<const double> chances, std::span<const std::uint8_t> outcomes, std::size_t n_bins = 10
);

/// Mean |mean chance - share| over bins, weighted by size (ECE with equal bins; Naeini et al.,
/// 2015).
[[nodiscard]] double expected_calibration_error(std::span<const CalibrationBin> bins);

/// Largest distance of the two empirical distribution functions; NaN where one is empty.
[[nodiscard]] double kolmogorov_smirnov(std::vector<double> a, std::vector<double> b);

}  // namespace hg::evaluate
