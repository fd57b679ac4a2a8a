// SPDX-License-Identifier: Apache-2.0
// Episode estimators against the enumeration of a decision process of two states, two actions and
// three steps.
#include "evaluate/sequential.hpp"

#include "evaluate/intervals.hpp"
#include "evaluate/overlap.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace hg::evaluate {
namespace {

using testing::HasSubstr;

constexpr std::size_t horizon = 3;
constexpr double discount = .8;
using Pair = std::array<std::array<double, 2>, 2>;  // [state][action]

constexpr Pair logged{{{.7, .3}, {.4, .6}}};
constexpr Pair judged{{{.2, .8}, {.9, .1}}};
constexpr Pair to_state_1{{{.1, .6}, {.5, .9}}};
constexpr Pair leaves{{{.1, .0}, {.3, .2}}};  // the user goes after the step
constexpr Pair reward{{{1, -1}, {2, .5}}};
constexpr Pair wrong_q{{{.5, 1.5}, {-1, 2}}};

struct Episodes {
    std::vector<std::size_t> offsets{0};
    std::vector<double> rewards, ratios, q, v;

    void step(std::size_t s, std::size_t a, const Pair& model) {
        rewards.push_back(reward[s][a]);
        ratios.push_back(judged[s][a] / logged[s][a]);
        q.push_back(model[s][a]);
        v.push_back(judged[s][0] * model[s][0] + judged[s][1] * model[s][1]);
    }

    void end() { offsets.push_back(rewards.size()); }

    [[nodiscard]] EpisodeSteps steps() const { return {offsets, rewards, ratios, q, v}; }
};

/// V of the judged policy from a state with t steps left.
double true_value(std::size_t state, std::size_t left) {
    if (left == 0) {
        return 0;
    }
    double value = 0;
    for (std::size_t a = 0; a < 2; ++a) {
        const double next = to_state_1[state][a] * true_value(1, left - 1) +
                            (1 - to_state_1[state][a]) * true_value(0, left - 1);
        value += judged[state][a] * (reward[state][a] + discount * (1 - leaves[state][a]) * next);
    }
    return value;
}

/// Every episode the logging policy can make from state 0, with its probability.
struct Enumeration {
    Episodes episodes;
    std::vector<double> probability;
    std::vector<std::pair<std::size_t, std::size_t>> path;

    void finish(double chance) {
        for (const auto& [s, a] : path) {
            episodes.step(s, a, wrong_q);
        }
        episodes.end();
        probability.push_back(chance);
    }

    void walk(std::size_t state, double chance) {
        for (std::size_t a = 0; a < 2; ++a) {
            const double taken = chance * logged[state][a];
            path.emplace_back(state, a);
            if (path.size() == horizon) {
                finish(taken);
            } else {
                if (leaves[state][a] > 0) {
                    finish(taken * leaves[state][a]);
                }
                const double stays = taken * (1 - leaves[state][a]);
                walk(0, stays * (1 - to_state_1[state][a]));
                walk(1, stays * to_state_1[state][a]);
            }
            path.pop_back();
        }
    }
};

double expectation(const Enumeration& all, const std::vector<double>& values) {
    double sum = 0;
    for (std::size_t e = 0; e < values.size(); ++e) {
        sum += all.probability[e] * values[e];
    }
    return sum;
}

Enumeration enumerate_all() {
    Enumeration all;
    all.walk(0, 1);
    return all;
}

TEST(Sequential, per_decision_weighting_has_the_true_value_as_its_expectation) {
    const auto all = enumerate_all();

    const auto values = value_or_throw(per_decision(all.episodes.steps(), discount));

    EXPECT_NEAR(expectation(all, values), true_value(0, horizon), 1e-12);
}

TEST(Sequential, doubly_robust_is_unbiased_for_a_wrong_model) {
    const auto all = enumerate_all();

    const auto values = value_or_throw(doubly_robust(all.episodes.steps(), discount));

    EXPECT_NEAR(expectation(all, values), true_value(0, horizon), 1e-12);
}

TEST(Sequential, episode_weights_have_the_expectation_one) {
    const auto all = enumerate_all();

    EXPECT_NEAR(expectation(all, value_or_throw(episode_weights(all.episodes.steps()))), 1, 1e-12);
}

Episodes draw_episodes(std::size_t n, Rng& rng) {
    Episodes episodes;
    for (std::size_t e = 0; e < n; ++e) {
        std::size_t state = 0;
        for (std::size_t t = 0; t < horizon; ++t) {
            const std::size_t a = rng.uniform() < logged[state][0] ? 0 : 1;
            episodes.step(state, a, wrong_q);
            if (rng.uniform() < leaves[state][a]) {
                break;
            }
            state = rng.uniform() < to_state_1[state][a] ? 1 : 0;
        }
        episodes.end();
    }
    return episodes;
}

// 20,000 episodes; 5 standard errors: false alarm 6e-7. The bias of the normalised form is O(1/n),
// a hundred times smaller.
TEST(Sequential, the_normalised_form_is_near_the_truth_and_claims_its_own_spread) {
    Rng rng{41};
    const auto episodes = draw_episodes(20'000, rng);

    const auto values = value_or_throw(per_decision_normalised(episodes.steps(), discount));

    const auto mean = clustered_mean(values);
    EXPECT_LT(std::abs(mean.mean - true_value(0, horizon)), 5 * mean.standard_error);

    std::vector<double> estimates;
    double claimed = 0;
    constexpr std::size_t n_logs = 300;
    for (std::size_t i = 0; i < n_logs; ++i) {
        const auto log = draw_episodes(300, rng);
        const auto estimate =
            clustered_mean(value_or_throw(per_decision_normalised(log.steps(), discount)));
        estimates.push_back(estimate.mean);
        claimed += estimate.standard_error / n_logs;
    }
    const double spread = clustered_mean(estimates).standard_error * std::sqrt(double{n_logs});
    EXPECT_NEAR(claimed / spread, 1, .25);
}

TEST(Sequential, the_normalised_form_is_the_formula_for_two_episodes) {
    // Episode 1: rho 2, 1; rewards 1, 4. Episode 2 ends after one step: rho 3, reward 2.
    const std::vector<std::size_t> offsets{0, 2, 3};
    const std::vector<double> rewards{1, 4, 2};
    const std::vector<double> ratios{2, .5, 3};

    const auto values = value_or_throw(per_decision_normalised({offsets, rewards, ratios}, .5));

    const double expected = (2.0 * 1 + 3 * 2) / 5 + .5 * (1.0 * 4 + 3 * 0) / 4;
    EXPECT_NEAR((values[0] + values[1]) / 2, expected, 1e-12);
}

TEST(Sequential, of_one_step_is_the_contextual_case) {
    const std::vector<std::size_t> offsets{0, 1, 2};
    const std::vector<double> rewards{1, 3};
    const std::vector<double> ratios{.5, 2};
    const std::vector<double> q{.5, 1};
    const std::vector<double> v{.25, .75};
    const EpisodeSteps steps{offsets, rewards, ratios, q, v};

    EXPECT_EQ(value_or_throw(per_decision(steps, .9)), (std::vector<double>{.5, 6}));
    EXPECT_EQ(value_or_throw(doubly_robust(steps, .9)), (std::vector<double>{.5, 4.75}));
}

TEST(Sequential, contradicting_steps_are_refused) {
    const std::vector<std::size_t> offsets{0, 0, 2};
    const std::vector<std::size_t> good{0, 2};
    const std::vector<double> two{1, 2};
    const std::vector<double> zero{0, 0};
    const std::vector<double> negative{1, -1};
    const auto message = [](const auto& result) {
        return result ? std::string{"no error"} : std::string{result.error().what()};
    };

    EXPECT_THAT(
        message(per_decision({offsets, two, two}, .9)), HasSubstr("episode 0 has no steps")
    );
    EXPECT_THAT(message(per_decision({good, two, negative}, .9)), HasSubstr("step 1"));
    EXPECT_THAT(message(per_decision({good, two, two}, 1.5)), HasSubstr("discount is 1.5"));
    EXPECT_THAT(message(doubly_robust({good, two, two}, 1)), HasSubstr("needs q_factual"));
    EXPECT_THAT(
        message(per_decision_normalised({good, two, zero}, 1)), HasSubstr("weight left at step 0")
    );
}

}  // namespace
}  // namespace hg::evaluate
