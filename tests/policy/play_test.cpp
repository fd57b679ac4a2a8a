// SPDX-License-Identifier: Apache-2.0
// What play() says of the first turns, counted again from the steps themselves.
#include "policy/play.hpp"

#include "simulate/world_entry.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace hg::policy {
namespace {

std::unique_ptr<Agent> random_agent(const simulate::Environment& world) {
    return make_agent(
        find_agent("random"), {.world = world.facts(), .session_size = 0, .rng = Rng{1}}, {}
    );
}

TEST(Play, turns_add_up_to_the_return) {
    Settings short_world;
    short_world.set_assignment("step_limit=10");
    const auto world = simulate::make_world("bernoulli_bandit", short_world);
    const auto batch = make_batch(*world, 4);

    const auto played =
        play(*batch, *random_agent(*world), {.episodes = 20, .seed = 3, .turns = 12});

    const auto& rewards = played.reward_by_turn;
    ASSERT_EQ(rewards.size(), 12U);
    EXPECT_NEAR(
        std::accumulate(rewards.begin(), rewards.end(), 0.0), played.mean_return.value, 1e-9
    );
    EXPECT_GT(rewards[9], 0);
    EXPECT_EQ(rewards[10], 0);
}

TEST(Play, the_rating_of_a_turn_is_the_mean_over_its_clicks) {
    constexpr std::size_t n_turns = 8;  // before anybody leaves
    const auto world = simulate::make_world("interest_evolution");
    const auto batch = make_batch(*world, 3);
    std::vector<double> sums(n_turns);
    std::vector<double> clicks(n_turns);
    std::size_t turn = 0;
    const auto count = [&](const TransitionBatch& step, std::span<const std::uint64_t>) {
        for (std::size_t u = 0; turn < n_turns && u < 3; ++u) {
            for (const auto& response : step.responses.row(u)) {
                sums[turn] += response.clicked ? response.rating : 0;
                clicks[turn] += response.clicked ? 1 : 0;
            }
        }
        ++turn;
    };

    const auto played =
        play(*batch, *random_agent(*world), {.episodes = 3, .seed = 3, .turns = n_turns}, count);

    ASSERT_EQ(played.rating_by_turn.size(), n_turns);
    for (std::size_t t = 0; t < n_turns; ++t) {
        EXPECT_NEAR(played.rating_by_turn[t], clicks[t] > 0 ? sums[t] / clicks[t] : 0, 1e-9) << t;
    }
    EXPECT_NE(played.rating_by_turn[0], 0);
}

}  // namespace
}  // namespace hg::policy
