// SPDX-License-Identifier: Apache-2.0
#include "data/impression_log.hpp"

#include "core/rng.hpp"
#include "data/folder_fixture.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

#include <cmath>
#include <sstream>

namespace hg::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view good_line =
    R"({"recommendation_id":"r1","user_id":7,"timestamp":1700000000000,"policy":"serve-3",)"
    R"("deterministic":false,"state":[0.5,-1],"candidates":["a","b","c"],)"
    R"("candidate_features":[[1,0],[0,1],[1,1]],"history":["b"],)"
    R"("slots":[{"item_id":"c","propensity":0.5,"reward":1,"clicked":true},)"
    R"({"item_id":"a","propensity":0.25,"reward":0,"clicked":false,"value":3.5}],)"
    R"("propensity":0.125,"ended":true})";

Result<ImpressionLog> parse(std::string_view text, Purpose purpose = Purpose::off_policy) {
    Rejections none{0};
    return parse_impressions(text, "log.jsonl", purpose, none);
}

std::string error_of(std::string_view text, Purpose purpose = Purpose::off_policy) {
    const auto log = parse(text, purpose);
    return log ? "no error" : log.error().what();
}

TEST(ImpressionLog, a_line_becomes_a_row_of_every_column) {
    const auto log = value_or_throw(parse(good_line));

    ASSERT_EQ(log.size(), 1);
    EXPECT_EQ(log.recommendation_id[0], "r1");
    EXPECT_EQ(log.users.name(log.user[0]), "7");
    EXPECT_EQ(log.policies.name(log.policy[0]), "serve-3");
    EXPECT_EQ(log.timestamp[0], 1'700'000'000'000);
    EXPECT_EQ(log.propensity[0], .125);
    EXPECT_EQ(log.reward[0], 1) << "the sum of the slots'";
    EXPECT_EQ(log.ended[0], 1);
    EXPECT_THAT(log.state.row(0), ElementsAre(.5F, -1.F));
    EXPECT_THAT(log.candidate_features.row(0), ElementsAre(1, 0, 0, 1, 1, 1));
    EXPECT_THAT(log.candidates.row(0), ElementsAre(0, 1, 2));
    EXPECT_THAT(log.history.row(0), ElementsAre(1));
    EXPECT_THAT(log.slots.row(0), ElementsAre(2, 0));
    EXPECT_THAT(log.slot.propensity, ElementsAre(.5, .25));
    EXPECT_THAT(log.slot.clicked, ElementsAre(1, 0));
    EXPECT_TRUE(std::isnan(log.slot.value[0]));
    EXPECT_EQ(log.slot.value[1], 3.5);
}

TEST(ImpressionLog, little_is_required) {
    const auto log =
        value_or_throw(parse("\n{\"slots\":[{\"item_id\":1,\"propensity\":1}],\"reward\":-2,"
                             "\"more\":[{}],\"state\":null}\n"));

    EXPECT_EQ(log.recommendation_id[0], "line-2");
    EXPECT_EQ(log.propensity[0], 1);
    EXPECT_EQ(log.reward[0], -2);
    EXPECT_EQ(log.timestamp[0], no_timestamp);
    EXPECT_EQ(log.ended[0], -1);
}

std::string line_with(std::string_view slots, std::string_view rest = R"(,"reward":1)") {
    return R"({"candidates":["a","b"],"slots":)" + std::string{slots} + std::string{rest} + "}";
}

TEST(ImpressionLog, what_off_policy_evaluation_cannot_use_is_refused_with_the_next_step) {
    const auto missing = error_of(line_with(R"([{"item_id":"a"}])"));
    EXPECT_THAT(
        missing,
        AllOf(
            HasSubstr("log.jsonl:1: slots[0].propensity is missing"),
            HasSubstr("serve with epsilon > 0")
        )
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":0}])")),
        HasSubstr("slots[0].propensity is 0, expected a probability in (0, 1]")
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":1.5}])")), HasSubstr("is 1.5, expected")
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"x","propensity":0.5}])")),
        HasSubstr("slots shows item \"x\", which is not among the 2 candidates")
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":0.5}])", "")),
        HasSubstr("reward is missing")
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":1}])", R"(,"deterministic":true)")),
        AllOf(HasSubstr("deterministic is true"), HasSubstr("epsilon > 0"))
    );
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":1}])")),
        AllOf(
            HasSubstr("log.jsonl:1: propensity is 1 with 2 candidates"),
            HasSubstr("looks deterministic"),
            HasSubstr("epsilon > 0")
        )
    );
    EXPECT_THAT(
        error_of(line_with(
            R"([{"item_id":"a","propensity":0.5},{"item_id":"b","propensity":0.5}])",
            R"(,"reward":1,"propensity":0.5)"
        )),
        HasSubstr("propensity is 0.5, the product of the slots' is 0.25")
    );
}

TEST(ImpressionLog, a_purchase_is_a_click_that_went_further) {
    const std::string line =
        R"({"slots":[{"item_id":"a","propensity":0.5,"clicked":true,"purchased":true},)"
        R"({"item_id":"b","propensity":0.5,"clicked":true}],"reward":1})";

    const auto log = value_or_throw(parse(line));

    EXPECT_THAT(log.slot.purchased, ElementsAre(1, -1));
    std::string again;
    append_json(log.row(0), again);
    EXPECT_THAT(again, HasSubstr(R"("clicked":true,"purchased":true)"));
    EXPECT_THAT(
        error_of(R"({"slots":[{"item_id":"a","propensity":1,"clicked":false,"purchased":true}],)"
                 R"("reward":1})"),
        HasSubstr("slots[0].purchased is true without a click")
    );
}

TEST(ImpressionLog, two_decisions_of_one_recommendation_are_refused_whatever_the_purpose) {
    const std::string line =
        R"({"recommendation_id":"r1","slots":[{"item_id":"a","propensity":0.5}],"reward":1})";
    const auto wanted = AllOf(
        HasSubstr("log.jsonl:3: recommendation_id \"r1\" is that of an earlier decision"),
        HasSubstr("its own id")
    );

    EXPECT_THAT(error_of(line + "\n\n" + line), wanted);
    EXPECT_THAT(error_of(line + "\n\n" + line, Purpose::learning), wanted);
}

TEST(ImpressionLog, learning_takes_deterministic_rows_without_propensities) {
    const auto line = line_with(R"([{"item_id":"a","clicked":true}])", R"(,"deterministic":true)");

    const auto log = value_or_throw(parse(line, Purpose::learning));

    EXPECT_TRUE(std::isnan(log.propensity[0]));
    EXPECT_TRUE(std::isnan(log.reward[0]));
    EXPECT_THAT(
        error_of(line_with(R"([{"item_id":"a","propensity":2}])"), Purpose::learning),
        HasSubstr("expected a probability")
    );
}

TEST(ImpressionLog, malformed_lines_are_named_by_place_and_path) {
    EXPECT_THAT(error_of("{}"), HasSubstr("log.jsonl:1: slots is empty"));
    EXPECT_THAT(error_of("[1]"), HasSubstr("the line is a list, expected an object"));
    EXPECT_THAT(
        error_of(std::string{good_line} + "\n{\"slots\":[{\"propensity\":1}]}"),
        HasSubstr("log.jsonl:2: slots[0] is an object, expected an object with item_id")
    );
    EXPECT_THAT(
        error_of(R"({"slots":[{"item_id":"a","propensity":"x"}]})"),
        HasSubstr("slots[0].propensity is a text, expected a number")
    );
    EXPECT_THAT(error_of(R"({"slots":[{"item_id":"a","propensity":NaN}]})"), HasSubstr("not JSON"));
    EXPECT_THAT(error_of(R"({"slots":[{"item_id":"a","reward":1e999}]})"), HasSubstr("not JSON"));
    EXPECT_THAT(
        error_of(R"({"candidates":["a","b"],"candidate_features":[[1],[1,2]]})"),
        HasSubstr("candidate_features[1] has 2 numbers, the first has 1")
    );
    EXPECT_THAT(
        error_of(R"({"candidates":["a"],"candidate_features":[[1],[2]]})"),
        HasSubstr("candidate_features has 2 rows, there are 1 candidates")
    );
    EXPECT_THAT(
        error_of(R"({"candidates":["a","a"],"slots":[{"item_id":"a","propensity":1}]})"),
        HasSubstr("candidates has item \"a\" twice")
    );
    EXPECT_THAT(
        error_of(R"({"slots":[{"item_id":"a","propensity":1},{"item_id":"a","propensity":1}]})"),
        HasSubstr("slots shows item \"a\" twice")
    );
    EXPECT_THAT(error_of("\n \n"), HasSubstr("no usable decision"));
}

TEST(ImpressionLog, bad_lines_may_be_counted_instead) {
    Rejections some{2};
    std::string other{good_line};
    other.replace(other.find("r1"), 2, "r2");
    const auto text = std::string{good_line} + "\n{}\n[]\n" + other;

    const auto log =
        value_or_throw(parse_impressions(text, "log.jsonl", Purpose::off_policy, some));

    EXPECT_EQ(log.size(), 2);
    EXPECT_EQ(some.count(), 2);
    EXPECT_THAT(some.examples().front(), HasSubstr("log.jsonl:2: slots is empty"));
}

TEST(ImpressionWriter, a_full_disk_is_an_error) {
    std::ostringstream out;
    ImpressionWriter writer{out};
    ImpressionRow impression;
    impression.slots.push_back({.item_id = "a"});
    writer.write(impression);
    out.setstate(std::ios::badbit);

    EXPECT_THROW(writer.write(impression), Error);
    EXPECT_EQ(writer.count(), 1);
}

class ImpressionFile : public FolderFixture {};

TEST_F(ImpressionFile, a_gzipped_log_is_read_as_it_is) {
    const auto path = folder() / "log.jsonl.gz";
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, good_line.data(), static_cast<unsigned>(good_line.size()));
    gzclose(file);
    Rejections none{0};

    const auto log = value_or_throw(read_impressions(path, Purpose::off_policy, none));

    EXPECT_EQ(log.size(), 1);
    EXPECT_FALSE(read_impressions(folder() / "none.jsonl", Purpose::off_policy, none).has_value());
}

std::string draw_id() {
    return *rc::gen::nonEmpty(rc::gen::container<std::string>(
        rc::gen::elementOf(std::string{"ab7,\"\\/\n\t{}:'\x01"} + "z")
    ));
}

/// A usable decision with anything in it.
ImpressionRow draw_impression() {
    ImpressionRow drawn;
    drawn.recommendation_id = draw_id();
    drawn.user_id = draw_id();
    drawn.policy = draw_id();
    drawn.segment = *rc::gen::arbitrary<bool>() ? draw_id() : "";
    drawn.deterministic = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) {
        drawn.timestamp = *rc::gen::inRange<std::int64_t>(-1'000'000'000'000, 2'000'000'000'000);
    }
    Rng rng{*rc::gen::arbitrary<std::uint64_t>()};
    const std::size_t n_candidates = 1 + rng.below(6);
    for (std::size_t i = 0; i < n_candidates; ++i) {
        drawn.candidates.push_back(draw_id() + std::to_string(i));
        drawn.history.push_back(draw_id());
    }
    for (std::size_t i = 0; i < n_candidates * 3; ++i) {
        drawn.state.push_back(static_cast<float>(rng.normal() * 1e3));
        drawn.candidate_features.push_back(static_cast<float>(rng.normal()));
    }
    const std::size_t n_slots = 1 + rng.below(n_candidates);
    for (std::size_t i = 0; i < n_slots; ++i) {
        LoggedSlot slot{.item_id = drawn.candidates[i], .propensity = 1 - rng.uniform()};
        if (rng.below(2) == 0) {
            slot.reward = rng.normal();
            slot.clicked = rng.below(2) == 0;
            slot.value = rng.normal() * 1e9;
            slot.rating = rng.normal();
            slot.position = static_cast<std::int32_t>(i + rng.below(3));
        }
        drawn.slots.push_back(slot);
    }
    if (rng.below(2) == 0) {
        drawn.reward = rng.normal();
        drawn.propensity = drawn.slate_propensity();
        drawn.ended = rng.below(2) == 0;
    }
    return drawn;
}

RC_GTEST_PROP(ImpressionLogProperties, what_is_written_is_read_again_to_the_bit, ()) {
    std::ostringstream out;
    ImpressionWriter writer{out};
    ImpressionLog log;
    const auto n = *rc::gen::inRange<std::size_t>(1, 5);
    for (std::size_t i = 0; i < n; ++i) {
        const auto impression = draw_impression();
        log.append(impression);
        writer.write(log.row(i));
    }

    const auto again = value_or_throw(parse(out.str(), Purpose::learning));

    std::ostringstream second;
    ImpressionWriter rewriter{second};
    for (std::size_t i = 0; i < n; ++i) {
        rewriter.write(again.row(i));
    }
    RC_ASSERT(out.str() == second.str());
    RC_ASSERT(again.state.values == log.state.values);
    RC_ASSERT(again.candidate_features.values == log.candidate_features.values);
    RC_ASSERT(again.slot.propensity == log.slot.propensity);
    RC_ASSERT(again.slot.position == log.slot.position);
    RC_ASSERT(again.slots.values.size() == log.slots.values.size());
    RC_ASSERT(again.ended == log.ended);
    RC_ASSERT(again.segments.names() == log.segments.names());
    RC_ASSERT(again.segment == log.segment);
}

}  // namespace
}  // namespace hg::data
