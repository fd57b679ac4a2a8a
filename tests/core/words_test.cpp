// SPDX-License-Identifier: Apache-2.0
// What a person reads: the progress line, and "did you mean".
#include "core/nearest.hpp"
#include "core/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>
#include <vector>

namespace hg {
namespace {

using testing::HasSubstr;

class Recorder final : public ProgressSink {
  public:
    void show(const State& state) override {
        done.push_back(state.done);
        finished.push_back(state.finished);
    }

    std::vector<std::size_t> done;
    std::vector<bool> finished;
};

TEST(Progress, the_line_has_rate_and_time_left) {
    const auto line = TerminalProgress::render(
        {.label = "encode",
         .unit = "items",
         .note = "loss 0.41",
         .done = 100,
         .total = 400,
         .seconds = 10}
    );

    EXPECT_THAT(line, HasSubstr("encode"));
    EXPECT_THAT(line, HasSubstr("[======                  ] 100/400 items"));
    EXPECT_THAT(line, HasSubstr("10/s"));
    EXPECT_THAT(line, HasSubstr("ETA 0:30"));
    EXPECT_THAT(line, HasSubstr("loss 0.41"));
}

TEST(Progress, an_unknown_total_has_no_bar_and_no_time_left) {
    const auto line = TerminalProgress::render(
        {.label = "read", .unit = "rows", .note = "", .done = 5'000'000, .total = 0, .seconds = 2}
    );

    EXPECT_THAT(line, HasSubstr("5000000 rows  2.5M/s"));
    EXPECT_THAT(line, testing::Not(HasSubstr("ETA")));
}

TEST(Progress, tells_its_sink_of_the_start_each_step_and_the_end) {
    Recorder sink;
    {
        Progress bar{sink, "work", 3, "steps"};
        bar.advance();
        bar.advance(2);
    }

    EXPECT_THAT(sink.done, testing::ElementsAre(0U, 1U, 3U, 3U));
    EXPECT_THAT(sink.finished, testing::ElementsAre(false, false, false, true));
}

TEST(NearestName, is_the_known_one_a_slip_away) {
    constexpr std::array<std::string_view, 3> known{"popularity", "ease", "als"};

    EXPECT_EQ(nearest_name("popularty", known), "popularity");
    EXPECT_EQ(nearest_name("quaternion", known), "");
    EXPECT_THAT(suggest("eas", known), HasSubstr("did you mean ease?"));
    EXPECT_THAT(suggest("quaternion", known), HasSubstr("known: popularity, ease, als"));
}

}  // namespace
}  // namespace hg
