// SPDX-License-Identifier: Apache-2.0
#include "data/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view line) {
    QueryParser parser;
    const auto query = parser.parse(line);
    return query ? "no error" : query.error().what();
}

TEST(Query, ids_may_be_texts_or_integers) {
    QueryParser parser;

    const auto query =
        value_or_throw(parser.parse(R"({"user_id": -7, "exclude": ["a", 18446744073709551615]})"));

    EXPECT_EQ(query.user_id, "-7");
    EXPECT_THAT(query.exclude, ElementsAre("a", "18446744073709551615"));
    EXPECT_FALSE(query.candidates.has_value());
}

TEST(Query, events_carry_type_value_and_time) {
    QueryParser parser;

    const auto query = value_or_throw(parser.parse(
        R"({"history": [{"item_id": 5, "event": "buy", "value": 2.5, "timestamp": 1700000000000}, "x"]})"
    ));

    ASSERT_EQ(query.history.size(), 2);
    EXPECT_EQ(query.history[0].item_id, "5");
    EXPECT_EQ(query.history[0].event, "buy");
    EXPECT_EQ(query.history[0].value, 2.5F);
    EXPECT_EQ(query.history[0].time, 1'700'000'000'000);
    EXPECT_TRUE(std::isnan(query.history[1].value));
    EXPECT_FALSE(query.history[1].time.has_value());
}

TEST(Query, events_are_put_in_the_order_of_their_times_when_all_have_one) {
    QueryParser parser;

    const auto query = value_or_throw(parser.parse(
        R"({"history": [{"item_id": "c", "timestamp": 3}, {"item_id": "a", "timestamp": 1},
            {"item_id": "b", "timestamp": 1}]})"
    ));

    std::vector<std::string> ids;
    for (const auto& event : query.history) {
        ids.push_back(event.item_id);
    }
    EXPECT_THAT(ids, ElementsAre("a", "b", "c"));
}

TEST(Query, nulls_count_as_left_out) {
    QueryParser parser;

    const auto query = value_or_throw(parser.parse(
        R"({"user_id": null, "history": null, "candidates": null, "context": {"a": [1]}})"
    ));

    EXPECT_FALSE(query.user_id.has_value());
    EXPECT_TRUE(query.history.empty());
    EXPECT_TRUE(parser.unknown_keys().empty());
}

TEST(Query, a_wrong_type_is_named_by_its_path) {
    EXPECT_THAT(
        error_of(R"({"history": ["a", {"item_id": [1]}]})"),
        HasSubstr("history[1].item_id is a list")
    );
    EXPECT_THAT(
        error_of(R"({"history": [{"item_id": "a", "value": "x"}]})"),
        HasSubstr("history[0].value is a text")
    );
    EXPECT_THAT(
        error_of(R"({"candidates": "a"})"),
        HasSubstr("candidates is a text, expected a list of ids")
    );
    EXPECT_THAT(
        error_of(R"({"history": [{"item_id": "a", "timestamp": 1e300}]})"),
        HasSubstr("milliseconds")
    );
}

TEST(Query, hostile_lines_are_errors_and_nothing_worse) {
    EXPECT_NE(error_of(""), "no error");
    EXPECT_NE(error_of("{\"user_id\": \"\xff\"}"), "no error");
    EXPECT_NE(error_of(std::string(100'000, '[')), "no error");
    EXPECT_NE(error_of(R"({"user_id": 1} {"user_id": 2})"), "no error");
}

TEST(Query, unknown_keys_are_kept_for_a_warning_but_not_without_end) {
    QueryParser parser;
    for (int i = 0; i < 100; ++i) {
        (void)parser.parse("{\"key" + std::to_string(i) + "\": 1}");
    }

    EXPECT_EQ(parser.unknown_keys().size(), 8);
}

}  // namespace
}  // namespace hg::data
