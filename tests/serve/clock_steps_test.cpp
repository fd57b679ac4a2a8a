// SPDX-License-Identifier: Apache-2.0
// A clock that steps back, far ahead or not at all changes nothing about what has happened.
#include "engine_world.hpp"

#include <array>
#include <chrono>

namespace hg::serve {
namespace {

constexpr TimeMs hour = 3'600'000;
constexpr TimeMs ten_years = 10 * 365 * 24 * hour;
constexpr std::array<TimeMs, 8> steps{0, -hour, 0, ten_years, -1, -ten_years, -hour, hour};

class ClockSteps : public EngineTest {};

TEST_F(ClockSteps, what_was_acknowledged_stays_seen_over_steps_and_restarts) {
    std::vector<std::string> clicked;
    for (const auto step : steps) {
        clock.set(clock.now() + step);
        const auto item = ids(R"({"user_id": "traveller", "k": 1})").at(0);
        ASSERT_FALSE(has(clicked, item));
        clicked.push_back(item);
        const auto id = fmt::format("e{}", clicked.size());
        ASSERT_EQ(append(event(id, "traveller", item))[0]["status"], "stored");
        ASSERT_EQ(append(event(id, "traveller", item))[0]["status"], "duplicate");
        for (const auto restarts : {false, true}) {
            if (restarts) {
                open();
            }
            const auto shown = ids(R"({"user_id": "traveller", "k": 100})");
            EXPECT_EQ(shown.size(), dataset->items.size() - clicked.size()) << step;
            for (const auto& seen : clicked) {
                EXPECT_FALSE(has(shown, seen)) << seen << " after a step of " << step;
            }
            EXPECT_EQ(user("traveller")["events"].size(), clicked.size());
        }
    }
}

TEST_F(ClockSteps, an_event_dated_in_the_future_waits_and_comes_when_the_clock_gets_there) {
    const auto dated = fmt::format(R"(, "timestamp": {})", now + hour);
    append(event("later", "dreamer", "item3", dated));
    EXPECT_TRUE(has(ids(R"({"user_id": "dreamer", "k": 100})"), "item3"));

    clock.set(now - ten_years);
    EXPECT_TRUE(has(ids(R"({"user_id": "dreamer", "k": 100})"), "item3"));

    clock.set(now + 2 * hour);
    EXPECT_FALSE(has(ids(R"({"user_id": "dreamer", "k": 100})"), "item3"));
}

TEST_F(ClockSteps, impressions_and_events_keep_the_order_of_their_arrival_numbers) {
    for (int i = 0; i < 4; ++i) {
        append(event(fmt::format("same{}", i), "still", fmt::format("item{}", i)));  // one moment
    }
    const auto told = user("still")["events"];
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(told[static_cast<std::size_t>(i)]["event_id"], fmt::format("same{}", i));
    }
}

}  // namespace
}  // namespace hg::serve
