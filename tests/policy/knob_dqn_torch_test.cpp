// SPDX-License-Identifier: Apache-2.0
// Q-learning over a menu of knobs: it finds the knob that a state asks for, where no constant would do.
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "policy/two_kinds.hpp"
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
    const std::filesystem::path& folder
) {
    Settings settings;
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    const auto batch = simulate::make_batch(world, 1);
    SilentProgress silent;
    return learn_run(
        {.entry = find_agent("knob_dqn"),
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

TEST(KnobDqn, is_not_worse_than_greed_on_its_belief_in_a_typed_bandit) {
    const testing_support::TemporaryFolder folder;
    const auto world = simulate::make_world("typed_bandit");
    const auto result = learn(
        *world,
        {"session_length=20"},
        {.steps = 20'000, .users = 64, .evaluate_every = 5'000, .evaluation_episodes = 512},
        folder / "dqn"
    );
    const auto batch = simulate::make_batch(*world, 64);
    const auto random = load_agent("random", world->facts(), {}, 1);

    EXPECT_GT(
        result.best_return, 1.3 * play(*batch, *random.agent, {.episodes = 512}).mean_return.value
    );
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
