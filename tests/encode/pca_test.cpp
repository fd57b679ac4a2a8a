// SPDX-License-Identifier: Apache-2.0
#include "encode/pca.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace hg::encode {
namespace {

/// Points near a line through (5, 5, 0) in the direction (3, 4, 0) / 5.
Matrix<float> points_on_a_line() {
    Matrix<float> points(50, 3);
    Rng rng{1};
    for (std::size_t i = 0; i < points.rows(); ++i) {
        const double along = rng.normal() * 10;
        points(i, 0) = static_cast<float>(5 + 0.6 * along);
        points(i, 1) = static_cast<float>(5 + 0.8 * along);
        points(i, 2) = static_cast<float>(0.01 * rng.normal());
    }
    return points;
}

/// Rows = 10 a u + 5 b v + noise over 600 sparse columns: two directions stand out.
SparseRows two_topics(std::size_t n_rows) {
    SparseRows rows{.n_cols = 600};
    Rng rng{3};
    for (std::size_t r = 0; r < n_rows; ++r) {
        const auto a = static_cast<float>(rng.normal() * 10);
        const auto b = static_cast<float>(rng.normal() * 5);
        for (std::size_t c = 0; c < 16; ++c) {
            rows.add(c, a / 4);
        }
        for (std::size_t c = 300; c < 304; ++c) {
            rows.add(c, b / 2);
        }
        rows.add(400 + rng.below(200), static_cast<float>(rng.normal()));
        rows.end_row();
    }
    return rows;
}

Matrix<float> dense(const SparseRows& rows) {
    Matrix<float> out(rows.n_rows(), rows.n_cols);
    for (std::size_t r = 0; r < rows.n_rows(); ++r) {
        for (std::size_t i = 0; i < rows.row_columns(r).size(); ++i) {
            out(r, rows.row_columns(r)[i]) = rows.row_values(r)[i];
        }
    }
    return out;
}

TEST(Pca, finds_the_direction_of_a_line_with_its_largest_weight_positive) {
    const auto pca = fit_pca(points_on_a_line().view(), 1, Rng{7});

    ASSERT_EQ(pca.dim(), 1U);
    EXPECT_NEAR(pca.components(0, 0), 0.6, 1e-3);
    EXPECT_NEAR(pca.components(0, 1), 0.8, 1e-3);
    EXPECT_NEAR(pca.components(0, 2), 0.0, 1e-3);
}

TEST(Pca, has_no_more_components_than_the_rows_vary_in) {
    Matrix<float> rows(4, 3);
    for (std::size_t r = 0; r < 4; ++r) {
        rows(r, 1) = static_cast<float>(r);
    }

    EXPECT_EQ(fit_pca(rows.view(), 3, Rng{7}).dim(), 1U);
    EXPECT_EQ(fit_pca(Matrix<float>(4, 3).view(), 3, Rng{7}).dim(), 0U);
}

TEST(Pca, finds_the_topics_of_wide_sparse_rows_the_same_way_twice) {
    const auto rows = two_topics(300);  // 600 columns: the randomised way
    const auto pca = fit_pca(rows, 5, Rng{7});
    const auto again = fit_pca(rows, 5, Rng{7});

    for (std::size_t c = 0; c < 16; ++c) {
        EXPECT_NEAR(pca.components(0, c), 0.25, 0.01);
    }
    for (std::size_t c = 300; c < 304; ++c) {
        EXPECT_NEAR(pca.components(1, c), 0.5, 0.02);
    }
    EXPECT_TRUE(std::ranges::equal(pca.components.values(), again.components.values()));
    EXPECT_TRUE(std::ranges::is_sorted(pca.variances, std::greater{}));
}

TEST(Pca, projects_sparse_and_dense_rows_alike) {
    const auto sparse = two_topics(30);
    const auto rows = dense(sparse);
    const auto pca = fit_pca(sparse, 4, Rng{7});
    Matrix<float> a(30, pca.dim());
    Matrix<float> b(30, pca.dim());

    pca.project(sparse, a.view());
    pca.project(rows.view(), b.view());

    for (std::size_t i = 0; i < a.values().size(); ++i) {
        EXPECT_NEAR(a.values()[i], b.values()[i], 1e-4);
    }
}

}  // namespace
}  // namespace hg::encode
