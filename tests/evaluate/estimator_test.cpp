// SPDX-License-Identifier: Apache-2.0
// Estimators against the truth of a world small enough to enumerate.
#include "evaluate/estimator.hpp"

#include "core/rng.hpp"
#include "evaluate/intervals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>

namespace hg::evaluate {
namespace {

using testing::HasSubstr;

constexpr std::size_t n_contexts = 3;
constexpr std::size_t n_actions = 4;
using Table = std::array<std::array<double, n_actions>, n_contexts>;

constexpr std::array<double, n_contexts> context_probability{.5, .3, .2};
constexpr Table logged{{{.4, .3, .2, .1}, {.1, .1, .1, .7}, {.25, .25, .25, .25}}};
constexpr Table judged{{{.1, .2, .3, .4}, {.3, .3, .3, .1}, {0, 0, 0, 1}}};
constexpr Table click_rate{{{.1, .5, .2, .8}, {.3, .9, .4, .1}, {.7, .2, .6, .5}}};
constexpr Table model{{{.2, .4, .2, .5}, {.4, .6, .4, .3}, {.5, .4, .5, .6}}};  // a wrong one

double value_under(const Table& policy, const Table& reward) {
    double value = 0;
    for (std::size_t x = 0; x < n_contexts; ++x) {
        for (std::size_t a = 0; a < n_actions; ++a) {
            value += context_probability[x] * policy[x][a] * reward[x][a];
        }
    }
    return value;
}

struct Log {
    std::vector<double> reward, propensity, probability, q_factual, q_policy;

    void add(std::size_t x, std::size_t a, double r) {
        reward.push_back(r);
        propensity.push_back(logged[x][a]);
        probability.push_back(judged[x][a]);
        q_factual.push_back(model[x][a]);
        double expected = 0;
        for (std::size_t b = 0; b < n_actions; ++b) {
            expected += judged[x][b] * model[x][b];
        }
        q_policy.push_back(expected);
    }

    [[nodiscard]] LoggedRows rows() const {
        return {reward, propensity, probability, q_factual, q_policy, q_factual, q_policy};
    }
};

template <std::size_t n>
std::size_t draw(const std::array<double, n>& probabilities, Rng& rng) {
    double left = rng.uniform();
    for (std::size_t i = 0; i + 1 < n; ++i) {
        left -= probabilities[i];
        if (left < 0) {
            return i;
        }
    }
    return n - 1;
}

Log draw_log(std::size_t n, Rng& rng) {
    Log log;
    for (std::size_t i = 0; i < n; ++i) {
        const auto x = draw(context_probability, rng);
        const auto a = draw(logged[x], rng);
        log.add(x, a, rng.uniform() < click_rate[x][a] ? 1 : 0);
    }
    return log;
}

/// The exact expectation of an estimator's row: every context, action and reward with its
/// probability. Holds for estimators that are plain means.
double expected_row(const EstimatorEntry& entry, std::optional<double> parameter) {
    double expectation = 0;
    for (std::size_t x = 0; x < n_contexts; ++x) {
        for (std::size_t a = 0; a < n_actions; ++a) {
            for (const int r : {0, 1}) {
                Log one;
                one.add(x, a, r);
                const auto rows = value_or_throw(contribute(entry, one.rows(), parameter));
                const double chance = r == 1 ? click_rate[x][a] : 1 - click_rate[x][a];
                expectation += context_probability[x] * logged[x][a] * chance * rows.base.front();
            }
        }
    }
    return expectation;
}

TEST(Estimator, unbiased_ones_have_the_enumerated_truth_as_their_expectation) {
    const double truth = value_under(judged, click_rate);

    for (const auto* name : {"ipw", "dr", "mrdr"}) {
        EXPECT_NEAR(expected_row(find_estimator(name), {}), truth, 1e-14) << name;
    }
    EXPECT_NEAR(expected_row(find_estimator("sgipw"), 0.0), truth, 1e-14);
    EXPECT_NEAR(expected_row(find_estimator("sgdr"), 0.0), truth, 1e-14);
    EXPECT_NEAR(expected_row(find_estimator("switch_dr"), 1e9), truth, 1e-14);
    const double no_limit = std::numeric_limits<double>::infinity();
    EXPECT_NEAR(expected_row(find_estimator("dros"), no_limit), truth, 1e-14);
}

TEST(Estimator, the_direct_method_is_the_models_opinion_and_shrinkage_leads_to_it) {
    const double opinion = value_under(judged, model);

    EXPECT_NEAR(expected_row(find_estimator("dm"), {}), opinion, 1e-14);
    EXPECT_NEAR(expected_row(find_estimator("dm_mrdr"), {}), opinion, 1e-14);
    EXPECT_NEAR(expected_row(find_estimator("switch_dr"), 0.0), opinion, 1e-14);
    EXPECT_NEAR(expected_row(find_estimator("dros"), 1e-12), opinion, 1e-9);
    EXPECT_GT(std::abs(opinion - value_under(judged, click_rate)), 0.05) << "the model is right";
}

// 200 logs of 2,000 rows; the mean error of an unbiased estimator lies within 5 standard errors of
// 0 with probability 1 - 6e-7 for each of four estimators: a false alarm of 2.3e-6. The ratio
// estimators' bias is O(1/n), below a hundredth of that standard error.
TEST(Estimator, means_over_many_logs_are_the_truth) {
    constexpr std::size_t n_logs = 200;
    const double truth = value_under(judged, click_rate);
    Rng rng{11};
    std::vector<Log> logs;
    for (std::size_t i = 0; i < n_logs; ++i) {
        logs.push_back(draw_log(2000, rng));
    }

    for (const auto* name : {"ipw", "snipw", "dr", "sndr"}) {
        std::vector<double> errors;
        for (const auto& log : logs) {
            errors.push_back(
                value_or_throw(contribute(find_estimator(name), log.rows())).value() - truth
            );
        }
        const auto mean = clustered_mean(errors);
        EXPECT_LT(std::abs(mean.mean), 5 * mean.standard_error) << name;
    }
}

TEST(Estimator, influence_rows_have_the_value_as_mean_and_the_spread_of_the_estimator) {
    constexpr std::size_t n_logs = 400;
    Rng rng{12};

    for (const auto* name : {"snipw", "sndr"}) {
        std::vector<double> values;
        double claimed = 0;
        for (std::size_t i = 0; i < n_logs; ++i) {
            const auto log = draw_log(500, rng);
            const auto rows = value_or_throw(contribute(find_estimator(name), log.rows()));
            const auto claim = clustered_mean(rows.influence());
            EXPECT_NEAR(claim.mean, rows.value(), 1e-12);
            values.push_back(rows.value());
            claimed += claim.standard_error / n_logs;
        }
        const double spread = clustered_mean(values).standard_error * std::sqrt(double{n_logs});
        // The standard deviation of 400 values is known to 3.5 %; 5 of that: false alarm 6e-7.
        EXPECT_NEAR(claimed / spread, 1, 0.18) << name;
    }
}

TEST(Estimator, every_entry_works_on_a_log_and_says_what_it_is) {
    Rng rng{13};
    const auto log = draw_log(100, rng);
    std::set<std::string_view> names;

    for (const auto* entry : estimators()) {
        const auto rows = contribute(*entry, log.rows());

        ASSERT_TRUE(rows.has_value()) << rows.error().what();
        EXPECT_EQ(rows->base.size(), 100);
        EXPECT_TRUE(std::isfinite(rows->value())) << entry->name;
        EXPECT_FALSE(entry->summary.empty());
        EXPECT_EQ(entry->parameter.name.empty(), entry->parameter.help.empty());
        names.insert(entry->name);
    }
    EXPECT_EQ(names.size(), estimators().size());
}

TEST(Estimator, wrong_input_is_named_by_row_and_column) {
    const auto message = [](const char* name, const LoggedRows& rows, std::optional<double> p) {
        const auto result = contribute(find_estimator(name), rows, p);
        return result ? std::string{"no error"} : std::string{result.error().what()};
    };
    Log log;
    log.add(0, 0, 1);
    log.add(0, 1, 0);
    const auto good = log.rows();
    auto without_q = good;
    without_q.q_policy = {};
    auto bad = log;
    bad.propensity[1] = 0;
    auto endless = log;
    endless.reward[0] = std::numeric_limits<double>::infinity();
    auto elsewhere = log;
    elsewhere.probability = {0, 0};

    EXPECT_THAT(message("dr", without_q, {}), HasSubstr("q_policy has 0 rows, the log has 2"));
    EXPECT_THAT(message("ipw", without_q, {}), "no error");
    EXPECT_THAT(
        message("ipw", bad.rows(), {}),
        HasSubstr("row 1: propensity is 0, expected a number in (0, 1]")
    );
    EXPECT_THAT(message("ipw", endless.rows(), {}), HasSubstr("row 0: reward is inf"));
    EXPECT_THAT(message("snipw", elsewhere.rows(), {}), HasSubstr("never takes a logged action"));
    EXPECT_THAT(message("snipw", good, 5.0), HasSubstr("snipw has no parameter"));
    EXPECT_THAT(message("sgdr", good, 2.0), HasSubstr("lambda of sgdr is 2"));
    EXPECT_THAT(message("dm", LoggedRows{}, {}), HasSubstr("no rows"));
    EXPECT_THROW((void)find_estimator("drr"), Error);
}

}  // namespace
}  // namespace hg::evaluate
