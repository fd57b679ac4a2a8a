// SPDX-License-Identifier: Apache-2.0
// Learning that begins with the run of another agent: the constant knobs of a belief.
#include "policy/learn.hpp"
#include "policy/play.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::policy {
namespace {

using testing::HasSubstr;

constexpr std::int64_t steps = 1'000;

class BeginWith : public testing::TestWithParam<std::string_view> {
  protected:
    /// `start_from` as --from takes it.
    void learn(
        std::string_view agent,
        const std::string& name,
        std::int64_t n_steps,
        const std::string& start_from = {}
    ) {
        Settings settings;
        settings.set("session_length", "10");
        if (agent == "evolution") {  // its least is a generation: let that try what it has
            settings.set("lessons", "0");
            settings.set("deviation", "1e-6");
            settings.set("least_deviation", "0");
        }
        const auto batch = make_batch(*world_, 1);
        SilentProgress silent;
        (void)learn_run(
            {.entry = find_agent(agent),
             .agent_settings = settings,
             .options =
                 {.steps = n_steps, .users = 16, .evaluate_every = steps, .evaluation_episodes = 32
                 },
             .seed = 5,
             .world = *batch,
             .held_out = *batch,
             .world_facts = {{"name", "typed_bandit"}},
             .folder = folder_.path() / name,
             .start_from = start_from},
            silent,
            {}
        );
    }

    std::vector<double> returns_of(const std::string& policy) {
        auto player = load_agent(policy, world_->facts(), {}, 1);
        const auto batch = make_batch(*world_, 8);
        return play(
                   *batch,
                   *player.agent,
                   {.episodes = 64, .seed = 3, .session_tokens = player.session_tokens}
        )
            .returns;
    }

    std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

    testing_support::TemporaryFolder folder_;
    std::unique_ptr<simulate::Environment> world_ = simulate::make_world("typed_bandit");
};

TEST_P(BeginWith, the_first_policy_is_the_constant_knob) {
    learn("belief", "belief", steps);
    // knob_dqn takes the nearest of its menu.
    const std::string alpha = GetParam() == "knob_dqn" ? "0.5" : "0.75";
    learn(GetParam(), "actor", 1, path("belief") + ":alpha=" + (alpha == "0.5" ? "0.6" : alpha));

    EXPECT_EQ(returns_of(path("actor")), returns_of(path("belief") + ":alpha=" + alpha));
    EXPECT_NE(returns_of(path("actor")), returns_of(path("belief") + ":alpha=0"));
}

TEST_P(BeginWith, an_agent_without_a_belief_is_no_beginning) {
    learn("ppo", "ppo", 1);
    try {
        learn(GetParam(), "actor", 1, path("ppo"));
        FAIL() << "began with a run of ppo";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_THAT(error.what(), HasSubstr("cannot begin with a run of ppo"));
    }
}

INSTANTIATE_TEST_SUITE_P(
    agents, BeginWith, testing::Values("meta_policy", "evolution", "knob_dqn")
);

}  // namespace
}  // namespace hg::policy
