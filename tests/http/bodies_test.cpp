// SPDX-License-Identifier: Apache-2.0
#include "serve/http/bodies.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace hg::serve {
namespace {

std::string with(const std::string& extra) {
    return R"({"events": [{"event_id": "e", "user_id": "u", "item_id": "i", "event": "click")" +
           extra + "}]}";
}

TEST(EventsBody, a_full_event_is_read_with_every_field) {
    const auto rows = parse_events(with(
        R"(, "value": 4.5, "timestamp": 12, "recommendation_id": "r", "position": 2, "context": {"b": 1, "a": 2})"
    ));

    ASSERT_TRUE(rows);
    const auto& event = *rows->front().event;
    EXPECT_EQ(event.event_id, "e");
    EXPECT_EQ(event.value, 4.5);
    EXPECT_EQ(event.timestamp, 12);
    EXPECT_EQ(event.recommendation_id, "r");
    EXPECT_EQ(event.position, 2);
    EXPECT_EQ(event.context, R"({"a":2,"b":1})");  // canonical, so that a retry has the same body
}

TEST(EventsBody, whole_numbers_are_ids_too) {
    const auto rows = parse_events(
        R"({"events": [{"event_id": 1, "user_id": 2, "item_id": 3, "event": "click"}]})"
    );
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->front().event->item_id, "3");
}

TEST(EventsBody, rows_are_judged_one_by_one) {
    const auto rows = parse_events(
        R"({"events": [{"event_id": "good", "user_id": "u", "item_id": "i", "event": "click"},
                       {"event_id": "bad", "user_id": "", "item_id": "i", "event": "click"}, 7]})"
    );
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 3U);
    EXPECT_TRUE((*rows)[0].event);
    EXPECT_FALSE((*rows)[1].event);
    EXPECT_EQ((*rows)[1].event_id, "bad");
    EXPECT_FALSE((*rows)[2].event);
}

class BadEvent : public ::testing::TestWithParam<const char*> {};

TEST_P(BadEvent, is_refused_with_a_reason) {
    const auto rows = parse_events(with(GetParam()));
    const bool is_row_error = rows && !rows->front().event;
    EXPECT_TRUE(!rows || is_row_error) << GetParam();
    if (is_row_error) {
        EXPECT_FALSE(rows->front().event.error().message().empty());
    }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    BadEvent,
    ::testing::Values(
        R"(, "value": "x")",
        R"(, "value": 1e400)",
        R"(, "timestamp": 1.5)",
        R"(, "timestamp": 99999999999999999)",
        R"(, "timestamp": 18446744073709551615)",
        R"(, "position": -1)",
        R"(, "context": [1])",
        R"(, "itme_id": "typo")",
        R"(, "recommendation_id": {})",
        R"(, "user_id": "tab\there")",
        R"(, "user_id": "\u0000")"
    )
);

TEST(EventsBody, what_is_no_batch_is_refused_as_a_whole) {
    for (const auto* body :
         {"",
          "[]",
          "{}",
          "null",
          R"({"events": []})",
          R"({"events": 3})",
          R"({"events": [1], "more": 2})",
          "{\"events\": [\xff]}"}) {
        EXPECT_FALSE(parse_events(body)) << body;
    }
}

TEST(EventsBody, deep_nesting_is_refused_before_it_is_built) {
    const std::string deep(100'000, '[');
    const auto rows = parse_events(deep);
    ASSERT_FALSE(rows);
    EXPECT_NE(rows.error().message().find("deeper"), std::string::npos);
}

TEST(RecommendBody, defaults_are_ten_unseen_items_without_explanation) {
    const auto wish = parse_recommend(R"({"user_id": "u"})");
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->k, 10U);
    EXPECT_EQ(wish->seen, Seen::hide);
    EXPECT_FALSE(wish->explain);
}

TEST(RecommendBody, a_history_may_be_ids_or_events) {
    const auto wish = parse_recommend(
        R"({"history": ["a", {"item_id": "b", "event": "buy", "value": 2, "timestamp": 9}], "exclude": ["c"],
            "filter": {"genres": ["x", "y"], "year": {"min": 1990}, "kind": "film", "size": 3}})"
    );
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->history[0].item_id, "a");
    EXPECT_EQ(wish->history[1].event, "buy");
    EXPECT_EQ(wish->filter.size(), 4U);
    EXPECT_EQ(wish->exclude.front(), "c");
}

TEST(RecommendBody, what_masks_items_is_kept_and_read_again) {
    const auto plain = value_or_throw(parse_recommend(R"({"user_id": "u", "k": 3})"));
    EXPECT_EQ(masks_text(plain), "");
    EXPECT_EQ(value_or_throw(parse_masks("", "ann")).user_id, "ann");
    const auto request = value_or_throw(parse_recommend(
        R"({"user_id": "u", "seen": "allow", "exclude": ["a", 7],
            "filter": {"genres": ["x", "y"], "city": "z", "year": {"min": 1990.5}, "n": 3}})"
    ));

    const auto again = value_or_throw(parse_masks(masks_text(request), "ann"));

    EXPECT_EQ(again.user_id, "ann");
    EXPECT_EQ(again.seen, Seen::allow);
    EXPECT_EQ(again.exclude, request.exclude);
    ASSERT_EQ(again.filter.size(), request.filter.size());
    for (std::size_t i = 0; i < request.filter.size(); ++i) {
        EXPECT_EQ(again.filter[i].field, request.filter[i].field);
        EXPECT_EQ(again.filter[i].any_of, request.filter[i].any_of);
        EXPECT_EQ(again.filter[i].min, request.filter[i].min);
        EXPECT_EQ(again.filter[i].max, request.filter[i].max);
    }
    EXPECT_FALSE(parse_masks("[1]", "ann"));
}

TEST(RecommendBody, what_makes_no_sense_is_refused) {
    for (const auto* body :
         {"{}",
          R"({"user_id": "u", "history": []})",
          R"({"user_id": "u", "k": 0})",
          R"({"user_id": "u", "k": 101})",
          R"({"user_id": "u", "seen": "maybe"})",
          R"({"user_id": "u", "explain": 1})",
          R"({"user_id": "u", "filter": []})",
          R"({"user_id": "u", "filter": {"a": {"mni": 1}}})",
          R"({"user_id": "u", "filter": {"a": [1]}})",
          R"({"user_id": "u", "exclude": "i"})",
          R"({"user_id": "u", "history_": []})"}) {
        EXPECT_FALSE(parse_recommend(body)) << body;
    }
}

TEST(RecommendBody, an_empty_history_is_a_stranger) {
    EXPECT_TRUE(parse_recommend(R"({"history": []})"));
}

TEST(FieldsBody, takes_flat_values_only) {
    EXPECT_TRUE(
        parse_fields(R"({"title": "a", "genres": ["x"], "year": 1, "new": true, "gone": null})")
    );
    EXPECT_FALSE(parse_fields(R"({"title": {"en": "a"}})"));
    EXPECT_FALSE(parse_fields(R"({"": "a"})"));
    EXPECT_FALSE(parse_fields("[]"));
    EXPECT_FALSE(parse_fields("{\"title\": \"" + std::string(70'000, 'x') + "\"}"));
}

}  // namespace
}  // namespace hg::serve
