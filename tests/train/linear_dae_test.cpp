// SPDX-License-Identifier: Apache-2.0
// linear_dae in closed form against the same regression over every choice of clicks, one by one.
#include "support/fit_model.hpp"
#include "support/small_world.hpp"
#include "train/model_entry.hpp"
#include "train/sparse.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

namespace hg::train {
namespace {

using testing_support::small_world;

using Rows = std::vector<std::vector<double>>;

/// X of A X = B for a symmetric positive definite A: elimination without pivots.
Rows solved(Rows a, Rows b) {
    const auto n = a.size();
    for (std::size_t pivot = 0; pivot < n; ++pivot) {
        for (std::size_t row = 0; row < n; ++row) {
            if (row == pivot) {
                continue;
            }
            const double factor = a[row][pivot] / a[pivot][pivot];
            for (std::size_t c = 0; c < n; ++c) {
                a[row][c] -= factor * a[pivot][c];
            }
            for (std::size_t c = 0; c < b[row].size(); ++c) {
                b[row][c] -= factor * b[pivot][c];
            }
        }
    }
    for (std::size_t row = 0; row < n; ++row) {
        for (auto& value : b[row]) {
            value /= a[row][row];
        }
    }
    return b;
}

/// [n_items + 1, n_items]: B, and b in the last row, by adding up every choice of k of a user's
/// items as an example of its own.
Rows brute_force(const Csr& users, std::size_t k, double lambda) {
    const auto n_items = users.n_cols;
    Rows gram(n_items + 1, std::vector<double>(n_items + 1));
    Rows answers(n_items + 1, std::vector<double>(n_items));
    for (std::size_t i = 0; i < n_items; ++i) {
        gram[i][i] = lambda;
    }
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        const auto items = users.row(user);
        std::vector<std::uint32_t> choices;
        for (std::uint32_t bits = 0; bits < (1U << items.size()); ++bits) {
            if (std::cmp_equal(std::popcount(bits), k) && items.size() > k) {
                choices.push_back(bits);
            }
        }
        for (const auto bits : choices) {
            const double weight = 1.0 / static_cast<double>(choices.size());
            std::vector<std::size_t> inputs{n_items};  // the constant
            std::vector<std::size_t> others;
            for (std::size_t i = 0; i < items.size(); ++i) {
                (((bits >> i) & 1U) != 0 ? inputs : others).push_back(items[i]);
            }
            const double size =
                static_cast<double>(items.size() - 1) / static_cast<double>(items.size() - k);
            for (const auto i : inputs) {
                for (const auto j : inputs) {
                    gram[i][j] += weight;
                }
                for (const auto j : others) {
                    answers[i][j] += weight * size;
                }
            }
        }
    }
    return solved(std::move(gram), std::move(answers));
}

std::unique_ptr<Recommender> fit(
    const testing_support::SmallWorld& world,
    const data::InteractionLog& log,
    std::initializer_list<std::string_view> assignments
) {
    Settings settings;
    for (const auto assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return testing_support::fit_model("linear_dae", world.dataset, log, settings, 5);
}

class LinearDae : public testing::TestWithParam<std::size_t> {};

TEST_P(LinearDae, scores_as_the_regression_over_every_choice_of_clicks) {
    const auto k = GetParam();
    const auto world = small_world({.n_users = 30, .n_items = 12, .n_groups = 3});
    const auto log = world.dataset.log.filter([](UserId user, std::size_t index) {
        return index < 2 + user.index() % 6;  // users of 2 to 7 items
    });
    const auto model = fit(world, log, {"penalty=0.5"});
    const auto expected = brute_force(positive_pairs(log), k, 0.5 * static_cast<double>(k));

    int n_compared = 0;
    for (const auto& history : log.histories()) {
        if (history.size() < k) {
            continue;
        }
        Matrix<float> scores(1, model->n_items());
        const auto context = history.head(k);
        model->score(std::array{context}, scores.view());
        for (std::size_t j = 0; j < model->n_items(); ++j) {
            double sum = expected.back()[j];
            for (const auto item : context.items) {
                sum += expected[item.index()][j];
            }
            ASSERT_NEAR(scores(0, j), sum, 1e-5) << "item " << j;
        }
        ++n_compared;
    }
    EXPECT_GT(n_compared, 5);
}

INSTANTIATE_TEST_SUITE_P(Clicks, LinearDae, testing::Values(1, 2, 5));

TEST(LinearDaeItems, those_left_out_keep_their_share_of_users) {
    const auto world = small_world();
    const auto model = fit(world, world.dataset.log, {"max_items=10"});
    const auto counts = column_counts(positive_pairs(world.dataset.log));
    Matrix<float> none(1, model->n_items());
    model->score(std::array{data::History{}}, none.view());
    Matrix<float> some(1, model->n_items());
    model->score(std::array{world.dataset.log.history(UserId{0})}, some.view());
    std::size_t n_kept = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        EXPECT_FLOAT_EQ(none(0, i), counts[i] / 60.0F);
        n_kept += some(0, i) != none(0, i) ? 1 : 0;
    }
    EXPECT_EQ(n_kept, 10U);
}

}  // namespace
}  // namespace hg::train
