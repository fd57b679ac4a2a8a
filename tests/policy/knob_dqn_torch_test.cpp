// SPDX-License-Identifier: Apache-2.0
// Q-learning over a menu of knobs: it finds the knob that a state asks for, where no constant would do.
#include "policy/knob_actor.hpp"
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "policy/two_kinds.hpp"
#include "policy/two_tastes.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::policy {
namespace {

LearnResult learn(
    const simulate::Environment& world,
    const std::vector<std::string>& assignments,
    const LearnOptions& options,
    const std::filesystem::path& folder,
    std::string_view agent = "knob_dqn"
) {
    Settings settings;
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    const auto batch = simulate::make_batch(world, 1);
    SilentProgress silent;
    return learn_run(
        {.entry = find_agent(agent),
         .agent_settings = settings,
         .options = options,
         .seed = 5,
         .world = *batch,
         .held_out = *batch,
         .world_facts = {{"name", "a world"}},
         .folder = folder},
        silent,
        {}
    );
}

// As of meta_policy (knob_actor_torch_test.cpp): one knob for everyone earns 5.7 of 10 at most. The
// menu's largest exploration is 1, which finds the least known of eight six times in ten.
TEST(KnobDqn, explores_for_those_who_want_it_only) {
    const testing_support::TemporaryFolder folder;
    const auto result = learn(
        TwoKinds{},
        {"head=knobs", "n_step=1", "discount=0.5"},
        {.steps = 30'000, .users = 64, .evaluate_every = 10'000},
        folder / "dqn"
    );
    double constant = 0;
    const auto batch = simulate::make_batch(TwoKinds{}, 64);
    for (const auto* knob : {"0", "0.5", "1", "2", "5"}) {
        const auto agent =
            load_agent(std::string{"constant_knobs:exploration="} + knob, batch->facts(), {}, 1);
        constant =
            std::max(constant, play(*batch, *agent.agent, {.episodes = 64}).mean_return.value);
    }

    EXPECT_GT(result.best_return, constant + 0.7);
}

// One diversity for everyone earns 15 of 20.
TEST(KnobDqn, is_diverse_for_those_who_like_it) {
    const testing_support::TemporaryFolder folder;
    const auto result = learn(
        TwoTastes{},
        {"head=knobs", "discount=0.5"},
        {.steps = 12'000, .users = 64, .evaluate_every = 6'000},
        folder / "dqn"
    );

    EXPECT_GT(result.best_return, 16);
}

// The best constant of that world earns a tenth more than greed on the same belief.
TEST(KnobDqn, goes_beyond_greed_on_its_belief_where_that_pays) {
    const testing_support::TemporaryFolder folder;
    const auto world = simulate::make_world("typed_bandit");
    const LearnOptions options{
        .steps = 40'000, .users = 64, .evaluate_every = 10'000, .evaluation_episodes = 512
    };
    const auto result = learn(*world, {"session_length=20"}, options, folder / "dqn");
    const auto greedy = learn(*world, {"session_length=20"}, options, folder / "greedy", "belief");

    EXPECT_GT(result.best_return, 1.01 * greedy.best_return);
}

TEST(KnobDqn, a_server_takes_no_menu) {
    const testing_support::TemporaryFolder folder;
    (void)learn(TwoKinds{}, {"head=knobs"}, {.steps = 1'000, .users = 8}, folder / "dqn");
    try {
        (void)KnobActor::load(folder / "dqn");
        FAIL() << "loaded";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("chooses from a menu"));
    }
}

TEST(KnobDqn, refuses_the_knobs_of_a_server_elsewhere) {
    const testing_support::TemporaryFolder folder;
    try {
        (void)learn(
            *simulate::make_world("typed_bandit"), {"head=knobs"}, {.steps = 1'000}, folder / "dqn"
        );
        FAIL() << "learned";
    } catch (const Error& error) {
        EXPECT_THAT(error.hint(), testing::HasSubstr("served:RUN"));
    }
}

}  // namespace
}  // namespace hg::policy
