// SPDX-License-Identifier: Apache-2.0
// The in-context policy distilled from the optimum, where the optimum is known.
#include "policy/agent_mixture.hpp"
#include "policy/bayes_optimal.hpp"
#include "policy/learn.hpp"
#include "simulate/world_entry.hpp"
#include "simulate/worlds/slate_mdp.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

Settings settings_of(const std::vector<std::string>& assignments) {
    Settings settings;
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return settings;
}

TEST(InContext, taught_by_the_optimum_comes_near_it_and_needs_the_users_own_session) {
    const testing_support::TemporaryFolder folder;
    const auto world = simulate::make_world(
        "bernoulli_bandit", settings_of({"arms=3", "redraw=episode", "step_limit=6"})
    );
    const auto batch = make_batch(*world, 64);
    SilentProgress silent;
    (void)learn_run(
        {.entry = find_agent("in_context"),
         .agent_settings = settings_of(
             {"teacher=bayes_optimal",
              "session_length=6",
              "hidden=32",
              "learning_rate=0.003",
              "taught_batch=128"}
         ),
         .options =
             {.steps = 40'000, .users = 64, .evaluate_every = 40'000, .evaluation_episodes = 64},
         .seed = 3,
         .world = *batch,
         .held_out = *batch,
         .world_facts = nlohmann::json::object(),
         .folder = folder.path() / "run"},
        silent,
        {}
    );
    const auto earned = [&](const std::string& change) {
        auto player = load_agent((folder.path() / "run").string() + change, world->facts(), {}, 7);
        return play(
                   *batch,
                   *player.agent,
                   {.episodes = 6400, .seed = 5, .session_tokens = player.session_tokens}
        )
            .mean_return;
    };

    // Without the session every arm is worth 1/2 a step. 5.5 standard errors of 6,400 episodes: off
    // by chance once in 2e7 runs.
    const double prior_only = 3;
    const double optimum = BayesOptimal{UniformArms{3}, 6}.value();
    const auto own = earned("");
    EXPECT_GT(own.value, prior_only + 0.9 * (optimum - prior_only)) << "optimum " << optimum;
    for (const auto* other : {":context=none", ":context=shuffled"}) {
        const auto without = earned(other);
        EXPECT_NEAR(without.value, prior_only, 5.5 / 1.96 * without.half_width) << other;
    }
}

TEST(InContext, a_session_too_short_for_its_teacher_is_refused_with_the_next_step) {
    const auto world = simulate::make_world(
        "bernoulli_bandit", settings_of({"arms=3", "redraw=episode", "step_limit=6"})
    );
    const auto batch = make_batch(*world, 8);
    const testing_support::TemporaryFolder folder;
    SilentProgress silent;
    try {
        (void)learn_run(
            {.entry = find_agent("in_context"),
             .agent_settings = settings_of({"teacher=bayes_optimal", "session_length=4"}),
             .options = {.steps = 100, .users = 8, .evaluation_episodes = 8},
             .world = *batch,
             .held_out = *batch,
             .world_facts = nlohmann::json::object(),
             .folder = folder.path() / "run"},
            silent,
            {}
        );
        FAIL() << "was not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.hint(), "set session_length=6");
    }
}

TEST(AgentMixture, of_slates_says_the_propensities_it_draws_by) {
    const simulate::SlateMdp world{simulate::SlateMdpOptions{}};
    const AgentContext context{.world = world.facts(), .session_size = 0, .rng = Rng{1}};
    const auto best = make_agent(find_agent("affinity"), context, {});
    const auto chance = make_agent(find_agent("random"), context, {});
    AgentMixture mixture{
        {{.agent = best.get(), .mode = Mode::exploit, .share = 0.6},
         {.agent = chance.get(), .mode = Mode::explore, .share = 0.4}}
    };
    constexpr std::size_t n_users = 4000;
    const auto batch = make_batch(world, n_users);
    Stepper stepper{*batch, 0};
    stepper.reset(5);
    Rng rng{6};
    const auto step = stepper.take(mixture, Mode::explore, rng);

    DecisionBatch greedy{n_users, 2};
    best->act(step.before, Mode::exploit, rng, greedy);
    double n_greedy = 0;
    for (std::size_t u = 0; u < n_users; ++u) {
        const bool is_greedy =
            std::ranges::equal(greedy.slates.row(u), step.decisions.slates.row(u));
        n_greedy += is_greedy ? 1 : 0;
        // Chance shows one ordered pair of five items: 1 / 20.
        const double wanted = is_greedy ? 0.6 + 0.4 / 20 : 0.4 / 20;
        const auto logged = step.decisions.propensities.row(u);
        EXPECT_NEAR(logged[0] * logged[1], wanted, 1e-12);
    }
    // 5.5 standard errors of a share of .62 in 4,000: off by chance once in 2e7 runs.
    EXPECT_NEAR(n_greedy / n_users, 0.62, 5.5 * 0.0077);
}

}  // namespace
}  // namespace hg::policy
