// SPDX-License-Identifier: Apache-2.0
// Curves of a play against the returns of that play, and what two rows of one file say together.
#include "app/play_curves.hpp"

#include "app/few_shot_curves.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>

namespace hg::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Visits = std::vector<std::vector<double>>;

const nlohmann::json one_play{{"world", "w"}, {"seed", 7}};

TEST(PlayCurves, every_visit_that_counts_is_kept_with_what_it_earned) {
    Settings settings;
    settings.set_assignment("step_limit=10");
    const auto world = simulate::make_world("bernoulli_bandit", settings);
    const auto batch = make_batch(*world, 4);
    const auto agent = policy::make_agent(
        policy::find_agent("random"),
        {.world = world->facts(), .session_size = 0, .rng = Rng{1}},
        {}
    );
    TurnRecorder turns{4};

    const auto played = policy::play(*batch, *agent, {.episodes = 18, .seed = 3}, std::ref(turns));
    turns.end_play(played.returns.size());

    ASSERT_EQ(turns.visits().size(), 20U) << "five of each of four users";
    double all = 0;
    for (const auto& visit : turns.visits()) {
        EXPECT_EQ(visit.size(), 10U);
        all += std::accumulate(visit.begin(), visit.end(), 0.0);
    }
    EXPECT_NEAR(all / 20, played.mean_return.value, 1e-12);
}

TEST(PlayCurves, a_point_is_the_reward_per_turn_up_to_the_next) {
    const testing_support::TemporaryFolder folder;
    const auto path = folder / "curves.json";
    const Visits mine{{1, 0, 3, 3, 3, 1, 1}, {1, 1, 0, 0, 0, 0, 0}};
    const Visits constants{{0, 0, 3, 0, 0, 1, 1}, {1}};

    write_play_curves(path, "meta", mine, 7, one_play);
    write_play_curves(path, "constant_knobs", constants, 7, one_play);

    const auto paired = read_paired_curves(path, "meta", "constant_knobs");
    EXPECT_EQ(paired.unit, "turns");
    EXPECT_THAT(paired.n_events, ElementsAre(0, 1, 2, 5));
    EXPECT_THAT(paired.differences[0], ElementsAre(1, 0));
    EXPECT_THAT(paired.differences[1], ElementsAre(0, 1)) << "a visit that is over earns nothing";
    EXPECT_THAT(paired.differences[2], ElementsAre(2, 0));
    EXPECT_THAT(paired.differences[3], ElementsAre(0, 0));
}

TEST(PlayCurves, a_row_is_replaced_and_another_play_is_refused) {
    const testing_support::TemporaryFolder folder;
    const auto path = folder / "curves.json";
    write_play_curves(path, "meta", Visits{{1, 1}}, 2, one_play);
    write_play_curves(path, "meta", Visits{{0, 1}}, 2, one_play);
    EXPECT_EQ(nlohmann::json::parse(value_or_throw(read_file(path))).at("rows").size(), 1U);

    const auto refused = [&](const Visits& visits, const nlohmann::json& of) {
        try {
            write_play_curves(path, "constant_knobs", visits, 2, of);
            return std::string{};
        } catch (const Error& error) {
            return std::string{error.what()};
        }
    };

    EXPECT_THAT(refused({{1, 1}}, {{"world", "w"}, {"seed", 8}}), HasSubstr("this very play"));
    EXPECT_THAT(refused({{1, 1}, {1, 1}}, one_play), HasSubstr("this very play"));
    write_file_atomic(path, "[1, 2");
    EXPECT_THAT(refused({{1, 1}}, one_play), HasSubstr("this very play"));
}

}  // namespace
}  // namespace hg::app
