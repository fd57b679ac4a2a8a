// SPDX-License-Identifier: Apache-2.0
#include "evaluate/prediction.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace hg::evaluate {
namespace {

TEST(Prediction, log_loss_is_the_mean_of_minus_log_chances) {
    const std::array chances{0.5, 0.25};
    const std::array<std::uint8_t, 2> outcomes{1, 0};

    EXPECT_NEAR(log_loss(chances, outcomes), (std::log(2.0) - std::log(0.75)) / 2, 1e-12);
}

TEST(Prediction, area_under_curve_counts_ties_half) {
    const std::array chances{0.1, 0.4, 0.4, 0.8};
    const std::array<std::uint8_t, 4> outcomes{0, 1, 0, 1};

    EXPECT_DOUBLE_EQ(area_under_curve(chances, outcomes), 3.5 / 4);
    const std::array<std::uint8_t, 4> all{1, 1, 1, 1};
    EXPECT_TRUE(std::isnan(area_under_curve(chances, all)));
}

TEST(Prediction, calibration_error_is_the_mean_gap_of_equal_groups) {
    const std::array chances{0.2, 0.2, 0.8, 0.8};
    const std::array<std::uint8_t, 4> outcomes{0, 1, 1, 1};

    const auto bins = calibration_bins(chances, outcomes, 2);

    ASSERT_EQ(bins.size(), 2U);
    EXPECT_NEAR(expected_calibration_error(bins), (0.3 + 0.2) / 2, 1e-12);
}

TEST(Prediction, kolmogorov_smirnov_is_the_largest_gap_of_distributions) {
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov({1, 2, 3, 4}, {1, 2, 3, 4}), 0);
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov({1, 2}, {3, 4}), 1);
    EXPECT_DOUBLE_EQ(kolmogorov_smirnov({1, 2, 3, 4}, {3, 4, 5, 6}), 0.5);
    EXPECT_TRUE(std::isnan(kolmogorov_smirnov({}, {1})));
}

}  // namespace
}  // namespace hg::evaluate
