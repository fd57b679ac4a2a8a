// SPDX-License-Identifier: Apache-2.0
#include "serve/vector_table.hpp"

#include "core/rng.hpp"
#include "serve/catalogue_vectors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::serve {
namespace {

enum class Rows { all, even };

/// By scoring the whole row.
std::vector<Scored> by_brute_force(
    const VectorTable& table, std::span<const float> user, std::size_t k, Rows rows
) {
    std::vector<float> scores;
    for (std::size_t row = 0; row < table.vectors().rows(); ++row) {
        const bool is_out = rows == Rows::even && row % 2 == 1;
        scores.push_back(is_out ? masked_score : table.score(user, row));
    }
    return top_k(scores, k);
}

void expect_equal(const std::vector<Scored>& found, const std::vector<Scored>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].index, expected[i].index) << "place " << i;
        EXPECT_EQ(found[i].score, expected[i].score) << "place " << i;
    }
}

void keep_even(std::vector<Scored>& rows) {
    std::erase_if(rows, [](const Scored& row) { return row.index % 2 == 1; });
}

class VectorTableForm : public ::testing::TestWithParam<ItemPrecision> {};

TEST_P(VectorTableForm, gives_the_best_of_the_whole_row_with_its_scores_and_ties) {
    for (const std::size_t dim : {1, 7, 16, 65}) {
        auto items = catalogue_vectors(3000, dim, 1);
        for (const std::size_t row : {5U, 1700U, 2999U}) {
            std::ranges::copy(items.row(42), items.row(row).begin());  // ties
        }
        std::ranges::fill(items.row(43), 0.0F);
        const auto users = catalogue_vectors(20, dim, 2);
        const VectorTable table{items.view(), GetParam()};
        for (std::size_t user = 0; user < users.rows(); ++user) {
            for (const std::size_t k : {0, 1, 100, 5000}) {
                expect_equal(
                    table.best(users.row(user), k),
                    by_brute_force(table, users.row(user), k, Rows::all)
                );
            }
        }
    }
}

TEST_P(VectorTableForm, gives_the_best_of_what_a_filter_leaves) {
    const auto items = catalogue_vectors(3000, 20, 3);
    const auto users = catalogue_vectors(20, 20, 4);
    const VectorTable table{items.view(), GetParam()};
    for (std::size_t user = 0; user < users.rows(); ++user) {
        expect_equal(
            table.best(users.row(user), 50, &keep_even),
            by_brute_force(table, users.row(user), 50, Rows::even)
        );
    }
}

TEST_P(VectorTableForm, of_a_user_nobody_knows_anything_about_are_the_first_rows) {
    const auto items = catalogue_vectors(100, 8, 5);
    const std::vector<float> nobody(8, 0.0F);

    const auto best = VectorTable{items.view(), GetParam()}.best(nobody, 3);

    ASSERT_EQ(best.size(), 3U);
    EXPECT_EQ(best[2].index, 2U);
}

INSTANTIATE_TEST_SUITE_P(
    Forms,
    VectorTableForm,
    ::testing::Values(ItemPrecision::float32, ItemPrecision::int8),
    [](const auto& form) { return form.param == ItemPrecision::int8 ? "int8" : "float32"; }
);

TEST(VectorTable, scores_by_the_inner_product) {
    const auto items = catalogue_vectors(10, 19, 6);
    const auto users = catalogue_vectors(1, 19, 7);
    const VectorTable table{items.view(), ItemPrecision::float32};
    for (std::size_t row = 0; row < items.rows(); ++row) {
        double sum = 0;
        double size = 0;
        for (std::size_t i = 0; i < items.cols(); ++i) {
            const auto product = static_cast<double>(items(row, i)) * users(0, i);
            sum += product;
            size += std::abs(product);
        }
        EXPECT_NEAR(table.score(users.row(0), row), sum, 1e-6 * size);
    }
}

TEST(VectorTable, scores_few_rows_twice_also_where_one_column_is_on_another_scale) {
    // The popularity that als whispers: numbers of a millionth, times 1 in every user's vector.
    auto items = catalogue_vectors(20'000, 17, 8);
    auto users = catalogue_vectors(20, 17, 9);
    for (std::size_t row = 0; row < items.rows(); ++row) {
        items(row, 16) = 1e-6F / static_cast<float>(1 + row);
    }
    for (std::size_t user = 0; user < users.rows(); ++user) {
        for (std::size_t i = 0; i < 16; ++i) {
            users(user, i) *= 0.01F;
        }
        users(user, 16) = 1;
    }
    const VectorTable table{items.view(), ItemPrecision::int8};
    for (std::size_t user = 0; user < users.rows(); ++user) {
        std::size_t n_possible = 0;
        const auto best = table.best(users.row(user), 100, [&](std::vector<Scored>& rows) {
            n_possible += rows.size();
        });
        EXPECT_EQ(best.size(), 100U);
        EXPECT_LT(n_possible, items.rows() / 5);
    }
}

TEST(VectorTable, reads_about_a_quarter_of_the_bytes_as_int8) {
    const auto items = catalogue_vectors(100, 64, 5);

    const VectorTable floats{items.view(), ItemPrecision::float32};
    const VectorTable codes{items.view(), ItemPrecision::int8};

    EXPECT_EQ(floats.bytes(), 100U * 64 * 4);
    EXPECT_EQ(codes.bytes(), 100U * (64 + 4));
}

}  // namespace
}  // namespace hg::serve
