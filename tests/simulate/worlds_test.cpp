// SPDX-License-Identifier: Apache-2.0
// Known answers of single worlds.
#include "core/rng.hpp"
#include "simulate/feature_bandit.hpp"
#include "simulate/leave_rule.hpp"
#include "simulate/world_entry.hpp"
#include "simulate/worlds/interest_evolution.hpp"
#include "simulate/worlds/long_term_satisfaction.hpp"
#include "simulate/worlds/slate_mdp.hpp"
#include "simulate/worlds/typed_bandit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <vector>

namespace hg::simulate {
namespace {

using Start = std::function<void(std::size_t episode)>;
using Policy = std::function<std::vector<std::uint32_t>(const Observation&, Rng&)>;

struct Returns {
    double mean = 0;
    double standard_error = 0;
};

Returns play(
    Environment& world, const Policy& policy, std::size_t episodes, const Start& start = {}
) {
    double sum = 0;
    double squares = 0;
    Rng rng{3};
    for (std::size_t e = 0; e < episodes; ++e) {
        if (start) {
            start(e);
        } else {
            world.reset(e);
        }
        double total = 0;
        for (bool over = false; !over;) {
            const auto step = world.step(policy(world.observe(), rng));
            total += step.reward;
            over = step.ended || step.truncated;
        }
        sum += total;
        squares += total * total;
    }
    const auto n = static_cast<double>(episodes);
    const double mean = sum / n;
    return {mean, std::sqrt((squares / n - mean * mean) / n)};
}

std::vector<std::uint32_t> two_at_random(const Observation& seen, Rng& rng) {
    const auto first = static_cast<std::uint32_t>(rng.below(seen.items.rows()));
    auto second = static_cast<std::uint32_t>(rng.below(seen.items.rows() - 1));
    second += second >= first ? 1 : 0;
    return {first, second};
}

// Published: 1,073 episodes of the original. 5 joint standard errors: one false alarm in 1.7 million.
void expect_agrees(const Returns& ours, double mean, double standard_error) {
    const double joint = std::hypot(ours.standard_error, standard_error);
    EXPECT_NEAR(ours.mean, mean, 5 * joint);
}

TEST(InterestEvolution, a_random_policy_earns_what_it_earns_in_recsim) {
    InterestEvolution resampled{{}};
    InterestEvolution fixed{{.resample_documents = false}};
    fixed.seed_streams(0, 0, 42);  // the documents of seed 0 stay for all episodes
    const auto next_user = [&](std::size_t /*episode*/) { fixed.begin_episode(); };

    expect_agrees(play(resampled, two_at_random, 1000), 153.98, 0.35);
    expect_agrees(play(fixed, two_at_random, 1000, next_user), 146.21, 0.35);
}

TEST(InterestEvolution, the_two_best_topics_earn_291_minutes) {
    InterestEvolution world{{}};
    const Policy best_topics = [](const Observation& seen, Rng& /*rng*/) {
        std::vector<std::uint32_t> order{0, 1};
        for (std::uint32_t i = 2; i < seen.items.rows(); ++i) {
            order.push_back(i);
        }
        std::ranges::stable_sort(order, std::greater{}, [&](auto i) { return seen.item_ids[i]; });
        order.resize(2);
        return order;
    };

    expect_agrees(play(world, best_topics, 400), 291.3, 5.4);
}

TEST(InterestEvolution, qualities_dealt_per_episode_leave_no_rule_by_topic) {
    InterestEvolution world{{.qualities = "per_episode", .observe = "feedback"}};
    world.reset(1);
    const std::vector<double> first(world.topic_qualities().begin(), world.topic_qualities().end());
    world.reset(2);

    EXPECT_FALSE(std::ranges::equal(first, world.topic_qualities()));
    EXPECT_EQ(world.facts().user_size, 60U);
}

TEST(LongTermSatisfaction, extremes_of_clickbait_earn_what_they_earn_in_recsim) {
    LongTermSatisfaction world{{}};
    const auto extreme = [](bool highest) {
        return [highest](const Observation& seen, Rng& /*rng*/) {
            std::uint32_t best = 0;
            for (std::uint32_t i = 1; i < seen.items.rows(); ++i) {
                if ((seen.items(i, 0) > seen.items(best, 0)) == highest) {
                    best = i;
                }
            }
            return std::vector{best};
        };
    };

    expect_agrees(play(world, extreme(true), 300), 1097.5, 14.3);
    expect_agrees(play(world, extreme(false), 300), 822.8, 10.6);
}

TEST(SlateMdp, value_iteration_agrees_with_the_exact_return_of_its_policy_and_with_play) {
    SlateMdp world{{}};
    const auto optimum = solve(world);
    const auto optimal = [&](std::size_t state) {
        std::vector<double> share(world.slates().size());
        for (std::size_t a = 0; a < share.size(); ++a) {
            share[a] = world.slates()[a] == optimum.slates[state] ? 1 : 0;
        }
        return share;
    };

    EXPECT_NEAR(exact_return(world, optimal), optimum.mean_value, 1e-9);
    const Policy play_optimal = [&](const Observation& seen, Rng& /*rng*/) {
        return optimum.slates[seen.state];
    };
    expect_agrees(play(world, play_optimal, 4000), optimum.mean_value, 0);
    const auto uniform = [&](std::size_t /*state*/) {
        return std::vector<double>(
            world.slates().size(), 1.0 / static_cast<double>(world.slates().size())
        );
    };
    EXPECT_LT(exact_return(world, uniform), 0.95 * optimum.mean_value);
}

TEST(LeaveRule, too_many_similar_items_end_the_visit_and_varied_ones_do_not) {
    const LeaveOptions leave{.window = 4, .max_similar = 2};
    const auto world = with_leave_rule(make_world("bernoulli_bandit"), leave);
    world->reset(1);
    int steps = 0;
    bool ended = false;
    while (!ended && steps < 10) {
        ended = world->step(std::vector{3U}).ended;
        ++steps;
    }
    EXPECT_EQ(steps, 4);  // three of the kind are remembered when the fourth comes

    world->reset(1);
    for (std::uint32_t t = 0; t < 50; ++t) {
        EXPECT_FALSE(world->step(std::vector{t % 10}).ended);
    }
}

TEST(LeaveRule, temper_is_spent_by_slates_nobody_clicks) {
    Settings settings;
    settings.set("high", "0");  // no item is ever clicked
    const auto world = with_leave_rule(make_world("bernoulli_bandit", settings), {.temper = 3});
    world->reset(1);

    EXPECT_FALSE(world->step(std::vector{0U}).ended);
    EXPECT_FALSE(world->step(std::vector{0U}).ended);
    EXPECT_TRUE(world->step(std::vector{0U}).ended);
}

TEST(GlmBandit, a_click_is_as_likely_as_the_logistic_function_of_theta_and_the_item) {
    const auto world = make_feature_bandit(
        {.n_candidates = 2, .dim = 1, .bias = -1, .scale = 3, .step_limit = 20000}, Link::logit
    );
    world->reset(5);
    const auto logistic = [](double logit) { return 1 / (1 + std::exp(-logit)); };
    double clicks = 0;
    double expected = 0;
    double variance = 0;
    std::set<int> signs;  // theta is a number of length 3: +3 or -3
    for (int step = 0; step < 20000; ++step) {
        const double x = world->observe().items(1, 0);
        const std::vector<std::uint32_t> slate{1};
        const double p = world->expected_reward(slate).value();
        const int sign = std::abs(p - logistic(-1 + 3 * x)) < 1e-6 ? 1 : -1;
        EXPECT_NEAR(p, logistic(-1 + sign * 3 * x), 1e-6);
        if (std::abs(x) > 0.1) {
            signs.insert(sign);
        }
        clicks += world->step(slate).responses[0].clicked ? 1 : 0;
        expected += p;
        variance += p * (1 - p);
    }

    EXPECT_EQ(signs.size(), 1U);
    EXPECT_NEAR(clicks, expected, 5 * std::sqrt(variance));
}

TEST(TypedBandit, noise_takes_answers_to_a_coin_and_leaves_the_order) {
    const auto quiet = typed_bandit_truth({});
    const auto noisy = typed_bandit_truth({.noise = 0.4});
    const auto coin = typed_bandit_truth({.noise = 1});

    for (std::size_t k = 0; k < quiet.click.rows(); ++k) {
        for (std::size_t i = 0; i < quiet.click.cols(); ++i) {
            EXPECT_NEAR(noisy.click(k, i) - 0.5, 0.6 * (quiet.click(k, i) - 0.5), 1e-12);
            EXPECT_EQ(coin.click(k, i), 0.5);
        }
    }
}

}  // namespace
}  // namespace hg::simulate
