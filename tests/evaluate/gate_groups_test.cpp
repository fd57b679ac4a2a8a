// SPDX-License-Identifier: Apache-2.0
// The checks of the gate that look at groups of users, on logs whose truth is known.
#include "core/rng.hpp"
#include "evaluate/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace hg::evaluate {
namespace {

using testing::HasSubstr;

/// Two actions, each logged half of the time; the candidate takes the first with .7, the incumbent
/// with .3. `gain(turn, segment)`: by how much the first action is better there; so the candidate is
/// better by .4 times that.
struct GroupLog {
    static constexpr std::uint32_t n_turns = 40;

    template <typename Gain>
    GroupLog(std::uint32_t n_users, Gain gain) {
        Rng rng{11};
        for (std::uint32_t user = 0; user < n_users; ++user) {
            for (std::uint32_t t = 0; t < n_turns; ++t) {
                const bool first = rng.uniform() < .5;
                const double better = gain(t, user % 2);
                const double q_first = .5 + better / 2;
                const double q_second = .5 - better / 2;
                const double q = first ? q_first : q_second;
                reward.push_back(rng.uniform() < q ? 1 : 0);
                propensity.push_back(.5);
                candidate.push_back(first ? .7 : .3);
                incumbent.push_back(first ? .3 : .7);
                q_factual.push_back(q);
                q_candidate.push_back(.7 * q_first + .3 * q_second);
                q_incumbent.push_back(.3 * q_first + .7 * q_second);
                mass.push_back(1);
                units.push_back(user);
                turn.push_back(t);
                segment.push_back(user % 2);
            }
        }
    }

    [[nodiscard]] GateInput input() const {
        return {
            .candidate =
                {.reward = reward,
                 .propensity = propensity,
                 .target_probability = candidate,
                 .q_factual = q_factual,
                 .q_policy = q_candidate},
            .incumbent_probability = incumbent,
            .incumbent_q_policy = q_incumbent,
            .units = units,
            .supported_mass = mass,
        };
    }

    std::vector<double> reward, propensity, candidate, incumbent, mass;
    std::vector<double> q_factual, q_candidate, q_incumbent;
    std::vector<std::uint32_t> units, turn, segment;
    std::vector<std::string> names{"old", "young"};
};

GateRecord judge(const GateInput& input, const GateOptions& options = {}) {
    return value_or_throw(run_gate(input, options));
}

std::vector<double> around(double mean, double deviation, std::size_t n) {
    Rng rng{5};
    std::vector<double> values(n);
    for (auto& value : values) {
        value = mean + deviation * rng.normal();
    }
    return values;
}

TEST(GateGroups, first_impressions_that_lose_hold_a_candidate_that_wins_later) {
    const GroupLog log{400, [](std::uint32_t turn, std::uint32_t) { return turn < 10 ? -.4 : .4; }};
    auto input = log.input();

    const auto blind = judge(input);
    input.turn = log.turn;
    const auto held = judge(input);

    EXPECT_EQ(blind.decision, Decision::promote) << to_text(blind);
    EXPECT_EQ(blind.check("first_impressions").verdict, Verdict::not_available);
    EXPECT_EQ(held.reason, HoldReason::group_worse) << to_text(held);
    ASSERT_EQ(held.groups.size(), 1);
    const auto& first = held.groups[0];
    EXPECT_EQ(first.n, 400 * 10);
    EXPECT_EQ(first.n_units, 400);
    const double truth = .4 * -.4;
    EXPECT_LT(first.low, truth);
    EXPECT_GT(first.high, truth);
    GateOptions long_look;
    long_look.first_impressions = GroupLog::n_turns;
    EXPECT_EQ(judge(input, long_look).decision, Decision::promote) << "all of them win";
}

TEST(GateGroups, a_segment_that_loses_holds_and_is_named) {
    const GroupLog log{400, [](std::uint32_t, std::uint32_t segment) {
                           return segment == 0 ? .5 : -.2;
                       }};
    auto input = log.input();
    input.segment = log.segment;
    input.segment_names = log.names;

    const auto record = judge(input);

    EXPECT_EQ(record.check("difference").verdict, Verdict::passed);
    EXPECT_EQ(record.reason, HoldReason::group_worse);
    ASSERT_EQ(record.groups.size(), 2);
    EXPECT_FALSE(record.groups[0].is_worse);
    EXPECT_TRUE(record.groups[1].is_worse);
    EXPECT_THAT(record.check("segments").sentence, HasSubstr("segment young"));
    EXPECT_THAT(to_text(record), HasSubstr("segment old"));
    EXPECT_EQ(to_json(record).at("groups").at(1).at("worse"), true);
}

TEST(GateGroups, a_segment_too_small_to_tell_is_counted_and_never_passed) {
    const GroupLog log{60, [](std::uint32_t, std::uint32_t) { return .2; }};
    auto input = log.input();
    const std::vector<std::uint32_t> segment(log.reward.size(), 1);
    auto few = segment;
    std::fill_n(few.begin(), 50, 0U);
    input.segment = few;
    input.segment_names = log.names;

    const auto record = judge(input);

    EXPECT_EQ(record.groups.size(), 1);
    EXPECT_EQ(record.n_small_segments, 1);
    EXPECT_EQ(to_json(record).at("small_segments"), 1);
    GateOptions strict;
    strict.min_group_rows = 1e6;
    EXPECT_EQ(judge(input, strict).check("segments").verdict, Verdict::not_available);
}

TEST(GateGroups, one_point_of_the_curve_that_is_worse_holds) {
    const GroupLog log{400, [](std::uint32_t, std::uint32_t) { return .4; }};
    const auto better = around(.05, .1, 300);
    const auto worse = around(-.05, .1, 300);
    const std::vector<FewShotPoint> curve{
        {.n_events = 0, .differences = worse}, {.n_events = 5, .differences = better}
    };
    auto input = log.input();
    input.few_shot = curve;

    const auto record = judge(input);

    EXPECT_EQ(record.reason, HoldReason::group_worse);
    EXPECT_THAT(record.check("few_shot").sentence, HasSubstr("after 0 events"));
    EXPECT_LT(record.check("few_shot").value.value(), 0);
    input.few_shot = std::span{curve}.subspan(1);
    EXPECT_EQ(judge(input).decision, Decision::promote);
}

TEST(GateGroups, curves_may_be_made_a_condition) {
    const GroupLog log{400, [](std::uint32_t, std::uint32_t) { return .4; }};
    auto input = log.input();
    ASSERT_EQ(judge(input).decision, Decision::promote);
    GateOptions strict;
    strict.curves_required = true;

    EXPECT_EQ(judge(input, strict).reason, HoldReason::missing_input);

    const auto worse = around(-.05, .1, 300);
    const auto better = around(.05, .1, 300);
    const std::vector<FewShotPoint> losing{{.n_events = 0, .differences = worse}};
    const std::vector<FewShotPoint> winning{{.n_events = 0, .differences = better}};
    input.worst_decile = better;
    input.few_shot = losing;
    EXPECT_EQ(judge(input, strict).reason, HoldReason::group_worse);
    input.few_shot = winning;
    EXPECT_EQ(judge(input, strict).decision, Decision::promote);
}

// Of 400 curves of an equal candidate at five lengths each, at most 2.5 % are held in truth: 29 or
// more with probability 2e-6. Intervals each of their own would hold 12 %, about 48.
TEST(GateGroups, an_equal_candidate_is_held_no_more_often_for_being_asked_at_many_lengths) {
    const GroupLog log{60, [](std::uint32_t, std::uint32_t) { return .4; }};
    auto input = log.input();
    Rng rng{8};
    std::size_t n_held = 0;
    for (int draw = 0; draw < 400; ++draw) {
        std::vector<std::vector<double>> values(5, std::vector<double>(50));
        std::vector<FewShotPoint> curve;
        for (std::size_t k = 0; k < values.size(); ++k) {
            std::ranges::generate(values[k], [&] { return rng.normal(); });
            curve.push_back({.n_events = k, .differences = values[k]});
        }
        input.few_shot = curve;
        n_held += judge(input).check("few_shot").verdict == Verdict::failed ? 1U : 0U;
    }

    EXPECT_LT(n_held, 29);
    EXPECT_GT(n_held, 0) << "a check that never fails is none (0 with probability 4e-5)";
}

TEST(GateGroups, the_worst_decile_is_chosen_by_both_together) {
    std::vector<double> candidate(20, .5);
    std::vector<double> incumbent(20, .5);
    candidate[3] = 0;  // together .1
    incumbent[3] = .1;
    candidate[7] = .2;  // together .2
    incumbent[7] = 0;
    candidate[9] = 0;  // the candidate's worst, but together .9
    incumbent[9] = .9;

    EXPECT_THAT(
        worst_decile_differences(candidate, incumbent),
        testing::ElementsAre(testing::DoubleEq(-.1), testing::DoubleEq(.2))
    );
}

TEST(GateGroups, users_served_by_neither_are_not_available_and_not_passed) {
    const GroupLog log{400, [](std::uint32_t, std::uint32_t) { return .4; }};
    const std::vector<double> nothing(30, 0);
    auto input = log.input();
    input.worst_decile = nothing;

    const auto record = judge(input);

    EXPECT_EQ(record.check("worst_decile").verdict, Verdict::not_available);
    EXPECT_THAT(record.check("worst_decile").sentence, HasSubstr("longer lists"));
}

TEST(GateGroups, a_curve_compared_with_itself_is_not_available_and_not_passed) {
    const GroupLog log{400, [](std::uint32_t, std::uint32_t) { return .4; }};
    const std::vector<double> nothing(30, 0);
    const std::vector<FewShotPoint> curve{
        {.n_events = 0, .differences = nothing}, {.n_events = 5, .differences = nothing}
    };
    auto input = log.input();
    input.few_shot = curve;

    const auto record = judge(input);

    EXPECT_EQ(record.check("few_shot").verdict, Verdict::not_available);
    EXPECT_THAT(record.check("few_shot").sentence, HasSubstr("one and the same"));
}

TEST(GateGroups, groups_of_another_log_are_refused) {
    const GroupLog log{60, [](std::uint32_t, std::uint32_t) { return .4; }};
    auto short_turns = log.input();
    short_turns.turn = std::span{log.turn}.first(5);
    auto nameless = log.input();
    nameless.segment = log.segment;

    EXPECT_THAT(run_gate(short_turns).error().message(), HasSubstr("turn has 5 rows"));
    EXPECT_THAT(run_gate(nameless).error().message(), HasSubstr("has no name"));
}

}  // namespace
}  // namespace hg::evaluate
