// SPDX-License-Identifier: Apache-2.0
// A policy that reads the session reads the same one in a log.
#include "policy/impressions.hpp"
#include "policy/play.hpp"
#include "simulate/world_entry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

using testing::HasSubstr;

constexpr std::size_t n_tokens = 5;  // no multiple of the two slots

data::ImpressionLog read(const std::string& text) {
    data::Rejections none{0};
    return value_or_throw(
        data::parse_impressions(text, "log.jsonl", data::Purpose::off_policy, none)
    );
}

std::string play_log(std::vector<float>& sessions) {
    const auto world = simulate::make_world("interest_evolution");
    const auto batch = make_batch(*world, 3);
    const auto agent = make_agent(
        find_agent("random"), {.world = world->facts(), .session_size = 0, .rng = Rng{1}}, {}
    );
    std::ostringstream out;
    ImpressionRecorder recorder{out, "random", world->facts()};
    const auto hook = [&](const TransitionBatch& step, std::span<const std::uint64_t> episodes) {
        recorder(step, episodes);
        for (std::size_t u = 0; u < step.before.size(); ++u) {
            const auto row = step.before.sessions.row(u);
            sessions.insert(sessions.end(), row.begin(), row.end());
        }
    };
    (void)play(*batch, *agent, {.episodes = 6, .seed = 3, .session_tokens = n_tokens}, hook);
    return out.str();
}

TEST(LoggedSessions, are_those_the_agent_saw) {
    std::vector<float> wanted;
    const auto log = read(play_log(wanted));
    const auto decisions = decisions_of(log);

    const auto sessions = sessions_of(log, decisions, n_tokens);

    ASSERT_GT(log.size(), 300U);
    ASSERT_EQ(sessions.values().size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        ASSERT_EQ(sessions.values()[i], wanted[i]) << i;
    }
    EXPECT_EQ(sessions_of(log, decisions, 0).cols(), 0U);
}

TEST(LoggedSessions, need_to_know_what_was_clicked) {
    std::vector<float> seen;
    auto log = read(play_log(seen));
    log.slot.clicked[0] = -1;
    const auto decisions = decisions_of(log);

    try {
        (void)sessions_of(log, decisions, n_tokens);
        FAIL() << "a click is unknown";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("does not say whether slot 1 was clicked"));
    }
    EXPECT_NO_THROW((void)sessions_of(log, decisions, 0));
}

}  // namespace
}  // namespace hg::policy
