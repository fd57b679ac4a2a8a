// SPDX-License-Identifier: Apache-2.0
#include "evaluate/intervals.hpp"

#include "core/error.hpp"
#include "evaluate/overlap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace hg::evaluate {
namespace {

struct Coverage {
    double both = 0;
    double lower = 0;
    double width = 0;
};

/// How often the interval of n draws of a skewed reward in [0, 1] (10 % ones) holds its mean.
Coverage measure_coverage(IntervalKind kind, std::size_t n, std::size_t n_trials) {
    constexpr double mean = .1;
    Rng rng{21};
    Coverage coverage;
    std::vector<double> rows(n);
    for (std::size_t trial = 0; trial < n_trials; ++trial) {
        for (auto& row : rows) {
            row = rng.uniform() < mean ? 1 : 0;
        }
        IntervalOptions options{.level = .9, .resamples = 100, .seed = trial};
        const auto both = mean_interval(kind, rows, options);
        options.sides = Sides::lower;
        const auto lower = mean_interval(kind, rows, options);
        coverage.both += both.low <= mean && mean <= both.high ? 1 : 0;
        coverage.lower += lower.low <= mean ? 1 : 0;
        coverage.width += both.high - both.low;
        EXPECT_TRUE(std::isinf(lower.high));
    }
    const auto trials = static_cast<double>(n_trials);
    return {coverage.both / trials, coverage.lower / trials, coverage.width / trials};
}

// 600 trials at level .9: the share of hits has a standard error of .012, and 5 of them (false
// alarm 6e-7) plus .02 for the skew and the lattice of the rewards at n = 200 give the bounds.
TEST(Intervals, bootstrap_and_t_hold_the_truth_as_often_as_they_say) {
    for (const auto kind : {IntervalKind::bootstrap, IntervalKind::t}) {
        const auto coverage = measure_coverage(kind, 200, 600);

        EXPECT_NEAR(coverage.both, .9, .08);
        EXPECT_NEAR(coverage.lower, .9, .08);
    }
}

// The bounds hold for every n; a miss rate above .1 + 5 * .0077 would be wrong.
TEST(Intervals, bounds_for_every_n_hold_even_for_small_n) {
    for (const auto kind : {IntervalKind::empirical_bernstein, IntervalKind::hoeffding}) {
        for (const std::size_t n : {5U, 50U, 1000U}) {
            const auto coverage = measure_coverage(kind, n, 1500);

            EXPECT_GE(coverage.both, .86) << n;
            EXPECT_GE(coverage.lower, .86) << n;
        }
    }
}

TEST(Intervals, empirical_bernstein_is_narrower_than_hoeffding_where_the_variance_is_small) {
    const auto bernstein = measure_coverage(IntervalKind::empirical_bernstein, 20'000, 3).width;
    const auto hoeffding = measure_coverage(IntervalKind::hoeffding, 20'000, 3).width;

    EXPECT_LT(bernstein, hoeffding);
}

TEST(Intervals, the_bounds_are_the_papers_formulas) {
    const std::vector<double> rows{0, 1, 1, 0, 1, 1, 1, 1};
    const IntervalOptions options{.level = .95, .sides = Sides::lower};

    const double hoeffding = .75 - std::sqrt(std::log(20.0) / 16);
    const double variance = 1.5 / 7;  // 2 x .75^2 + 6 x .25^2 over n - 1
    const double bernstein =
        .75 - std::sqrt(2 * variance * std::log(40.0) / 8) - 7 * std::log(40.0) / (3 * 7);

    EXPECT_NEAR(mean_interval(IntervalKind::hoeffding, rows, options).low, hoeffding, 1e-12);
    EXPECT_NEAR(
        mean_interval(IntervalKind::empirical_bernstein, rows, options).low, bernstein, 1e-12
    );
}

TEST(Intervals, a_row_outside_the_stated_range_is_refused) {
    const std::vector<double> rows{0, 3};

    EXPECT_THROW((void)mean_interval(IntervalKind::hoeffding, rows), Error);
    EXPECT_NO_THROW((void)mean_interval(IntervalKind::hoeffding, rows, {.row_high = 3}));
}

TEST(Intervals, copies_of_a_row_in_one_unit_do_not_make_it_surer) {
    const std::vector<double> rows{1, 4, 2, 8};
    std::vector<double> copied;
    std::vector<std::uint32_t> units;
    for (std::uint32_t unit = 0; unit < 4; ++unit) {
        copied.insert(copied.end(), 10, rows[unit]);
        units.insert(units.end(), 10, unit * 1000);
    }

    const auto once = clustered_mean(rows);
    const auto often = clustered_mean(copied, units);

    EXPECT_NEAR(often.mean, once.mean, 1e-12);
    EXPECT_NEAR(often.standard_error, once.standard_error, 1e-12);
    EXPECT_EQ(often.n_units, 4);
    EXPECT_LT(clustered_mean(copied).standard_error, once.standard_error / 2);
}

TEST(Intervals, nothing_is_known_of_no_rows_and_of_one_unit) {
    EXPECT_TRUE(std::isinf(mean_interval(IntervalKind::t, {}).low));
    EXPECT_TRUE(std::isinf(mean_interval(IntervalKind::t, std::vector{1.0}).high));
    EXPECT_TRUE(std::isinf(bootstrap_interval(Contributions{}).low));
}

TEST(Intervals, the_bootstrap_of_a_ratio_is_as_wide_as_its_influence_rows_say) {
    Rng rng{22};
    Contributions ratio;
    for (int i = 0; i < 2000; ++i) {
        const double weight = rng.uniform() * 3;
        ratio.base.push_back(0);
        ratio.numerator.push_back(weight * (rng.uniform() < .3 ? 1 : 0));
        ratio.denominator.push_back(weight);
    }

    const auto resampled = bootstrap_interval(ratio);
    const auto linear = mean_interval(IntervalKind::t, ratio.influence());

    EXPECT_NEAR((resampled.high - resampled.low) / (linear.high - linear.low), 1, .1);
}

TEST(Overlap, is_computed_by_hand_for_four_weights) {
    const std::vector<double> weights{0, 1, 1, 2};

    const auto overlap = measure_overlap(weights);

    EXPECT_DOUBLE_EQ(overlap.effective_rows, 16.0 / 6);
    EXPECT_DOUBLE_EQ(overlap.mean_weight, 1);
    EXPECT_DOUBLE_EQ(overlap.mean_weight_z, 0);
    EXPECT_DOUBLE_EQ(overlap.largest_share, .5);
    EXPECT_DOUBLE_EQ(overlap.top_percent_share, .5);
    EXPECT_DOUBLE_EQ(overlap.unused_share, .25);
}

TEST(Overlap, equal_weights_are_right_only_when_they_are_one) {
    EXPECT_EQ(measure_overlap(std::vector<double>(10, 1.0)).mean_weight_z, 0);
    EXPECT_TRUE(std::isinf(measure_overlap(std::vector<double>(10, .5)).mean_weight_z));
    // What the product of a slate's propensities leaves of 1 is no sign of anything.
    std::vector<double> rounded(1000, 1 + 1e-15);
    rounded.front() = 1 + 3e-15;
    EXPECT_EQ(measure_overlap(rounded).mean_weight_z, 0);
    EXPECT_EQ(measure_overlap(std::vector<double>(10, 0.0)).effective_rows, 0);
    EXPECT_EQ(measure_overlap({}).n, 0);
}

TEST(Overlap, supported_mass_counts_only_actions_the_log_could_take) {
    const std::vector<std::size_t> offsets{0, 2, 5};
    const std::vector<double> propensities{1, 0, .5, .49999, .00001};
    const std::vector<double> probabilities{.3, .7, .2, .2, .6};

    const auto mass = supported_mass(offsets, propensities, probabilities);

    EXPECT_NEAR(mass[0], .3, 1e-12);
    EXPECT_NEAR(mass[1], .4, 1e-12);
}

}  // namespace
}  // namespace hg::evaluate
