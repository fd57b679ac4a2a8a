// SPDX-License-Identifier: Apache-2.0
#include "policy/bayes_optimal.hpp"

#include "core/error.hpp"
#include "policy/learn.hpp"
#include "policy/stepper.hpp"
#include "simulate/world_entry.hpp"
#include "simulate/worlds/typed_bandit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace hg::policy {
namespace {

/// The same recursion over whole histories, nothing shared, nothing sorted.
double by_brute_force(
    const std::function<std::vector<double>(const std::vector<ArmCounts>&)>& predict,
    std::vector<ArmCounts> counts,
    std::size_t left
) {
    if (left == 0) {
        return 0;
    }
    const auto p = predict(counts);
    double best = 0;
    for (std::size_t a = 0; a < p.size(); ++a) {
        auto won = counts;
        ++won[a].won;
        auto lost = counts;
        ++lost[a].lost;
        best = std::max(
            best,
            p[a] * (1 + by_brute_force(predict, won, left - 1)) +
                (1 - p[a]) * by_brute_force(predict, lost, left - 1)
        );
    }
    return best;
}

TEST(BayesOptimal, two_arms_over_two_steps_are_worth_thirteen_twelfths) {
    // Any arm first: 1/2. After a click the same arm is worth 2/3, after none the other one 1/2.
    EXPECT_NEAR((BayesOptimal{UniformArms{2}, 2}.value()), 13.0 / 12, 1e-12);
}

TEST(BayesOptimal, sorted_and_shared_states_change_nothing) {
    const auto uniform = [](const std::vector<ArmCounts>& counts) {
        std::vector<double> p;
        for (const auto& arm : counts) {
            p.push_back((arm.won + 1.0) / (arm.won + arm.lost + 2.0));
        }
        return p;
    };
    EXPECT_NEAR(
        (BayesOptimal{UniformArms{3}, 5}.value()),
        by_brute_force(uniform, std::vector<ArmCounts>(3), 5),
        1e-12
    );

    const auto truth = simulate::typed_bandit_truth({.arms = 3, .types = 4});
    const auto typed = [&](const std::vector<ArmCounts>& counts) {
        std::vector<double> p(3);
        double total = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            double likelihood = truth.type_share[k];
            for (std::size_t a = 0; a < 3; ++a) {
                for (int n = 0; n < counts[a].won; ++n) {
                    likelihood *= truth.click(k, a);
                }
                for (int n = 0; n < counts[a].lost; ++n) {
                    likelihood *= 1 - truth.click(k, a);
                }
            }
            total += likelihood;
            for (std::size_t a = 0; a < 3; ++a) {
                p[a] += likelihood * truth.click(k, a);
            }
        }
        std::ranges::for_each(p, [&](double& one) { one /= total; });
        return p;
    };
    EXPECT_NEAR(
        (BayesOptimal{TypedArms{truth.click, truth.type_share}, 5}.value()),
        by_brute_force(typed, std::vector<ArmCounts>(3), 5),
        1e-12
    );
}

TEST(BayesOptimal, the_agent_earns_what_it_is_worth) {
    Settings settings;
    for (const auto* assignment : {"arms=4", "redraw=episode", "step_limit=8"}) {
        settings.set_assignment(assignment);
    }
    const auto world = simulate::make_world("bernoulli_bandit", settings);
    auto player = load_agent("bayes_optimal", world->facts(), {}, 7);
    const auto batch = make_batch(*world, 64);

    const auto played = play(
        *batch,
        *player.agent,
        {.episodes = 6400, .seed = 5, .session_tokens = player.session_tokens}
    );

    // 5.5 standard errors of 6,400 episodes: off by chance once in 2e7 runs.
    const double worth = BayesOptimal{UniformArms{4}, 8}.value();
    EXPECT_NEAR(played.mean_return.value, worth, 5.5 / 1.96 * played.mean_return.half_width);
}

TEST(BayesOptimal, the_agent_says_the_propensities_it_acts_by) {
    Settings settings;
    for (const auto* assignment : {"arms=3", "redraw=episode", "step_limit=4"}) {
        settings.set_assignment(assignment);
    }
    const auto world = simulate::make_world("bernoulli_bandit", settings);
    auto player = load_agent("bayes_optimal", world->facts(), {}, 7);
    const auto batch = make_batch(*world, 8);
    Stepper stepper{*batch, player.session_tokens};
    stepper.reset(5);
    Rng rng{6};
    for (int t = 0; t < 3; ++t) {
        const auto step = stepper.take(*player.agent, Mode::exploit, rng);
        for (std::size_t u = 0; u < 8; ++u) {
            Matrix<double> asked(8, 1);
            player.agent->propensities(
                step.before, Mode::exploit, step.decisions.slates.view(), asked.view()
            );
            EXPECT_EQ(step.decisions.propensities(u, 0), 1);
            EXPECT_EQ(asked(u, 0), 1);
        }
    }
}

TEST(BayesOptimal, too_many_states_are_refused_with_the_next_step) {
    EXPECT_THROW((BayesOptimal{UniformArms{10}, 200}), Error);
}

}  // namespace
}  // namespace hg::policy
