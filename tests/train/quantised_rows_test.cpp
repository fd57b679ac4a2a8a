// SPDX-License-Identifier: Apache-2.0
#include "train/quantised_rows.hpp"

#include "core/rng.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace hg::train {
namespace {

constexpr std::size_t n_rows = 11;  // no multiple of four
constexpr std::size_t n_cols = 37;

Matrix<float> random_rows() {
    Matrix<float> rows(n_rows, n_cols);
    Rng rng{5};
    for (float& x : rows.values()) {
        x = static_cast<float>(rng.uniform() - 0.5);
    }
    return rows;
}

TEST(QuantisedRows, sums_are_off_by_half_a_step_of_each_row_at_most) {
    auto rows = random_rows();
    for (float& x : rows.row(3)) {
        x *= 1000;  // its steps are larger, and no other row's
    }
    std::vector<float> weights;
    for (std::size_t r = 0; r < n_rows; ++r) {
        weights.push_back(static_cast<float>(r) - 4);  // one is 0
    }
    std::vector<float> out(n_cols, 2);

    QuantisedRows{std::as_const(rows).view()}.add_weighted(weights, out);

    double most = 0;
    for (std::size_t r = 0; r < n_rows; ++r) {
        const double reach = r == 3 ? 500 : 0.5;
        most += std::abs(static_cast<double>(weights[r])) * reach / 32767 / 2;
    }
    constexpr double rounding = 1e-4;  // of float sums of about a thousand
    for (std::size_t c = 0; c < n_cols; ++c) {
        double exact = 2;
        for (std::size_t r = 0; r < n_rows; ++r) {
            exact += static_cast<double>(weights[r]) * static_cast<double>(rows(r, c));
        }
        EXPECT_NEAR(out[c], exact, most + rounding) << c;
    }
}

TEST(QuantisedRows, one_row_is_kept_to_four_digits_of_its_largest) {
    const auto rows = random_rows();
    const QuantisedRows kept{rows.view()};
    for (std::size_t r = 0; r < n_rows; ++r) {
        std::vector<float> weights(n_rows, 0);
        weights[r] = 1;
        std::vector<float> out(n_cols, 0);
        kept.add_weighted(weights, out);
        for (std::size_t c = 0; c < n_cols; ++c) {
            EXPECT_NEAR(out[c], rows(r, c), 0.5 / 32767 / 2 + 1e-7);
        }
    }
}

TEST(QuantisedRows, rows_of_weight_0_and_rows_of_zeros_are_not_read) {
    auto rows = random_rows();
    for (float& x : rows.row(1)) {
        x = 0;
    }
    std::vector<float> weights(n_rows, 0);
    weights[1] = std::numeric_limits<float>::infinity();
    std::vector<float> out(n_cols, 7);

    QuantisedRows{std::as_const(rows).view()}.add_weighted(weights, out);

    EXPECT_EQ(out, std::vector<float>(n_cols, 7));
}

}  // namespace
}  // namespace hg::train
