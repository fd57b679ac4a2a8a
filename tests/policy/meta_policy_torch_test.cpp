// SPDX-License-Identifier: Apache-2.0
// The learned actor beside the policy that is best for whoever knows the prior.
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace hg::policy {
namespace {

// Five arms, ten steps, another user every episode: whoever knows the prior earns 6.67, greed on the learned belief
// 98.8 % of that, chance 75 % (bench/results/small_worlds.md). 2,000 episodes: one standard error .5 %.
TEST(MetaPolicy, earns_nine_tenths_and_a_half_of_the_bayes_optimum) {
    const testing_support::TemporaryFolder folder;
    Settings world_settings;
    world_settings.set("redraw", "episode");
    world_settings.set("arms", "5");
    world_settings.set("step_limit", "10");
    const auto world = simulate::make_world("bernoulli_bandit", world_settings);
    const auto batch = make_batch(*world, 1);
    Settings settings;
    settings.set("session_length", "10");
    SilentProgress silent;
    (void)learn_run(
        {.entry = find_agent("meta_policy"),
         .agent_settings = settings,
         .options =
             {.steps = 60'000, .users = 128, .evaluate_every = 20'000, .evaluation_episodes = 512},
         .seed = 3,
         .world = *batch,
         .held_out = *batch,
         .world_facts = {{"name", "bernoulli_bandit"}},
         .folder = folder / "meta"},
        silent,
        {}
    );
    const auto earned = [&](const std::string& policy) {
        const auto player = load_agent(policy, world->facts(), {}, 1);
        return play(
                   *make_batch(*world, 128),
                   *player.agent,
                   {.episodes = 2000, .seed = 11, .session_tokens = player.session_tokens}
        )
            .mean_return.value;
    };

    const double best = earned("bayes_optimal");
    EXPECT_NEAR(best, 6.67, .1);
    EXPECT_GT(earned((folder / "meta").string()), .95 * best);
    EXPECT_LE(earned((folder / "meta").string()), best + .1);
}

}  // namespace
}  // namespace hg::policy
