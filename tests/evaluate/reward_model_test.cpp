// SPDX-License-Identifier: Apache-2.0
#include "evaluate/reward_model.hpp"

#include "core/rng.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/linear_fit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

namespace hg::evaluate {
namespace {

using testing::HasSubstr;

constexpr std::size_t n_features = 3;
constexpr std::size_t n_candidates = 4;

/// Decisions with four candidates of three random features; the reward is linear or a click.
struct Table {
    std::vector<std::size_t> offsets{0};
    std::vector<float> features;
    std::vector<std::uint32_t> chosen;
    std::vector<double> reward;
    std::vector<std::uint32_t> units;
    std::vector<double> uniform;

    [[nodiscard]] DecisionTable view() const {
        return {offsets, {features.data(), uniform.size(), n_features}, chosen, reward, units};
    }
};

double truth(std::span<const float> x) {
    return .5 + static_cast<double>(x[0]) - 2 * static_cast<double>(x[1]);
}

Table make_table(std::size_t n, RewardModelKind kind) {
    Rng rng{31};
    Table table;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t f = 0; f < n_candidates * n_features; ++f) {
            table.features.push_back(static_cast<float>(rng.normal()));
        }
        table.uniform.insert(table.uniform.end(), n_candidates, .25);
        table.chosen.push_back(static_cast<std::uint32_t>(rng.below(n_candidates)));
        const auto pair = table.offsets.back() + table.chosen.back();
        const double value = truth(std::span{table.features}.subspan(pair * n_features));
        const bool is_click = rng.uniform() < sigmoid(value);
        table.reward.push_back(kind == RewardModelKind::ridge ? value : (is_click ? 1 : 0));
        table.units.push_back(static_cast<std::uint32_t>(i / 3));
        table.offsets.push_back(table.uniform.size());
    }
    return table;
}

TEST(RewardModel, ridge_finds_a_linear_truth_and_its_expectation_under_a_policy) {
    const auto table = make_table(300, RewardModelKind::ridge);
    const std::vector<std::vector<double>> policies{table.uniform};

    const auto fit = value_or_throw(cross_fit(table.view(), policies, {.l2 = 0}));

    for (std::size_t i = 0; i < table.reward.size(); ++i) {
        EXPECT_NEAR(fit.q_factual[i], table.reward[i], 1e-6);
        double expected = 0;
        for (auto pair = table.offsets[i]; pair < table.offsets[i + 1]; ++pair) {
            expected += truth(std::span{table.features}.subspan(pair * n_features)) / 4;
        }
        EXPECT_NEAR(fit.q_policy[0][i], expected, 1e-6);
    }
}

// The standard error of a coefficient from 3,200 clicks is about .05; 5 of it: false alarm 6e-7
// each.
TEST(RewardModel, logistic_finds_the_log_odds) {
    const auto table = make_table(4000, RewardModelKind::logistic);

    const auto fit =
        value_or_throw(cross_fit(table.view(), {}, {.kind = RewardModelKind::logistic, .l2 = 1e-3})
        );

    for (const auto& coefficients : fit.coefficients) {
        EXPECT_NEAR(coefficients[0], 1, .3);
        EXPECT_NEAR(coefficients[1], -2, .4);
        EXPECT_NEAR(coefficients[2], 0, .25);
        EXPECT_NEAR(coefficients[3], .5, .25);
    }
    for (const double q : fit.q_factual) {
        EXPECT_TRUE(q > 0 && q < 1);
    }
}

TEST(RewardModel, no_row_is_predicted_by_a_model_that_has_seen_its_unit) {
    auto table = make_table(120, RewardModelKind::ridge);
    const auto before = value_or_throw(cross_fit(table.view(), {}));
    constexpr std::size_t touched = 40;
    table.reward[touched] += 1000;

    const auto after = value_or_throw(cross_fit(table.view(), {}));

    std::map<std::uint32_t, std::uint32_t> fold_of_unit;
    for (std::size_t i = 0; i < table.reward.size(); ++i) {
        const auto [entry, is_new] = fold_of_unit.emplace(table.units[i], after.fold[i]);
        EXPECT_EQ(entry->second, after.fold[i]) << "a unit is in two folds";
        if (after.fold[i] == after.fold[touched]) {
            EXPECT_NEAR(after.q_factual[i], before.q_factual[i], 1e-9);
        } else {
            EXPECT_GT(std::abs(after.q_factual[i] - before.q_factual[i]), 1e-6);
        }
    }
}

TEST(RewardModel, folds_follow_the_seed) {
    const auto table = make_table(120, RewardModelKind::ridge);
    const auto folds = [&](std::uint64_t seed) {
        return value_or_throw(cross_fit(table.view(), {}, {.seed = seed})).fold;
    };

    EXPECT_EQ(folds(1), folds(1));
    EXPECT_NE(folds(1), folds(2));
}

TEST(RewardModel, a_weight_counts_as_that_many_rows) {
    const auto table = make_table(40, RewardModelKind::logistic);
    std::vector<FitRow> weighted;
    std::vector<FitRow> repeated;
    for (std::size_t i = 0; i < table.reward.size(); ++i) {
        const auto features = table.view().features.row(table.offsets[i] + table.chosen[i]);
        weighted.push_back({features, table.reward[i], static_cast<double>(i % 3)});
        repeated.insert(repeated.end(), i % 3, {features, table.reward[i], 1});
    }
    const std::vector<double> penalty{.5, .5, .5, 0};

    const auto ridge = solve_ridge(sum_rows(weighted, n_features), penalty);
    const auto ridge_repeated = solve_ridge(sum_rows(repeated, n_features), penalty);
    const auto logistic = fit_logistic(weighted, penalty, 50);
    const auto logistic_repeated = fit_logistic(repeated, penalty, 50);

    for (std::size_t j = 0; j <= n_features; ++j) {
        EXPECT_NEAR(ridge[j], ridge_repeated[j], 1e-9);
        EXPECT_NEAR(logistic[j], logistic_repeated[j], 1e-6);
    }
}

TEST(RewardModel, at_the_logistic_fit_the_penalised_gradient_is_zero) {
    const auto table = make_table(200, RewardModelKind::logistic);
    std::vector<FitRow> rows;
    for (std::size_t i = 0; i < table.reward.size(); ++i) {
        rows.push_back(
            {table.view().features.row(table.offsets[i] + table.chosen[i]), table.reward[i], 1}
        );
    }
    const std::vector<double> penalty{2, 2, 2, 0};

    const auto b = fit_logistic(rows, penalty, 50);

    for (std::size_t j = 0; j <= n_features; ++j) {
        double gradient = -penalty[j] * b[j];
        for (const auto& row : rows) {
            const double x = j < n_features ? static_cast<double>(row.features[j]) : 1;
            gradient += (row.target - sigmoid(linear(b, row.features))) * x;
        }
        EXPECT_NEAR(gradient, 0, 1e-4);
    }
}

TEST(RewardModel, separable_and_constant_rewards_are_survived) {
    auto table = make_table(60, RewardModelKind::logistic);
    table.reward.assign(60, 0);
    std::ranges::fill(table.features, 0.0F);

    for (const auto kind : {RewardModelKind::ridge, RewardModelKind::logistic}) {
        const auto fit = value_or_throw(cross_fit(table.view(), {}, {.kind = kind}));
        for (const double q : fit.q_factual) {
            EXPECT_NEAR(q, 0, 1e-3);
        }
    }
}

// MRDR's fit minimises the weighted error it is named for; the model is wrong (a quadratic truth),
// so the two fits differ.
TEST(RewardModel, mrdr_weights_lower_the_weighted_error) {
    auto table = make_table(4000, RewardModelKind::ridge);
    std::vector<double> propensity;
    std::vector<double> probability;
    for (std::size_t i = 0; i < table.reward.size(); ++i) {
        const float x = table.features[(table.offsets[i] + table.chosen[i]) * n_features];
        table.reward[i] = static_cast<double>(x * x);
        propensity.push_back(.25);
        probability.push_back(x > 0 ? .6 : .05);
    }
    const auto weights = mrdr_weights(
        {.reward = table.reward, .propensity = propensity, .target_probability = probability}
    );
    const auto weighted_error = [&](const CrossFit& fit) {
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double error = table.reward[i] - fit.q_factual[i];
            sum += weights[i] * error * error;
        }
        return sum;
    };

    const auto plain = value_or_throw(cross_fit(table.view(), {}));
    const auto mrdr = value_or_throw(cross_fit(table.view(), {}, {}, weights));

    EXPECT_LT(weighted_error(mrdr), .9 * weighted_error(plain));
}

TEST(RewardModel, contradicting_tables_are_refused) {
    auto table = make_table(20, RewardModelKind::ridge);
    const auto message = [](const Table& t, const RewardModelOptions& options = {}) {
        const auto fit = cross_fit(t.view(), {}, options);
        return fit ? std::string{"no error"} : std::string{fit.error().what()};
    };
    auto elsewhere = table;
    elsewhere.chosen[3] = 9;
    auto endless = table;
    endless.features[0] = std::numeric_limits<float>::infinity();
    auto one_unit = table;
    one_unit.units.assign(20, 5);
    auto short_chosen = table;
    short_chosen.chosen.pop_back();

    EXPECT_THAT(message(elsewhere), HasSubstr("decision 3: its action is not among"));
    EXPECT_THAT(message(endless), HasSubstr("candidate 0: a feature is not finite"));
    EXPECT_THAT(message(one_unit), HasSubstr("all decisions are of one fold"));
    EXPECT_THAT(message(short_chosen), HasSubstr("not of the same decisions"));
    EXPECT_THAT(message(table, {.n_folds = 50}), HasSubstr("50 folds of 20 decisions"));
    EXPECT_THAT(
        message(table, {.kind = RewardModelKind::logistic}),
        HasSubstr("a logistic fit needs [0, 1]")
    );
}

}  // namespace
}  // namespace hg::evaluate
