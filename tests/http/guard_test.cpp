// SPDX-License-Identifier: Apache-2.0
#include "serve/http/guard.hpp"

#include <gtest/gtest.h>

namespace hg::serve {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

const std::string key = "0123456789abcdef-key";

unsigned status(
    Guard& guard, const HttpRequest& request, Access access = Access::key, nanoseconds now = {}
) {
    const auto refusal = guard.refuse(request, access, now);
    return refusal ? refusal->status : 200;
}

TEST(Guard, without_keys_only_names_of_this_machine_are_answered) {
    Guard guard{{}};
    EXPECT_EQ(status(guard, {.host = "127.0.0.1:8080"}), 200U);
    EXPECT_EQ(status(guard, {.host = "localhost"}), 200U);
    EXPECT_EQ(status(guard, {.host = "[::1]:80"}), 200U);
    EXPECT_EQ(status(guard, {.host = "evil.example"}), 403U);
    EXPECT_EQ(status(guard, {.host = "127.0.0.1.evil.example"}), 403U);
    EXPECT_EQ(status(guard, {.host = "["}), 403U);
    EXPECT_EQ(status(guard, {}), 403U);
}

TEST(Guard, pages_of_other_sites_are_refused) {
    Guard guard{{}};
    EXPECT_EQ(status(guard, {.host = "localhost:1", .origin = "http://localhost:1"}), 200U);
    EXPECT_EQ(status(guard, {.host = "localhost:1", .origin = "http://evil.example"}), 403U);
    EXPECT_EQ(status(guard, {.host = "localhost:1", .origin = "null"}), 403U);
}

TEST(Guard, with_keys_only_a_known_one_opens) {
    Guard guard{{.keys = {key, "another-long-key-here"}}};
    EXPECT_EQ(status(guard, {.host = "x"}), 401U);
    EXPECT_EQ(status(guard, {.host = "x", .authorization = "Bearer " + key}), 200U);
    EXPECT_EQ(status(guard, {.host = "x", .authorization = "Bearer " + key + "x"}), 401U);
    EXPECT_EQ(status(guard, {.host = "x", .authorization = "Basic " + key}), 401U);
    EXPECT_EQ(status(guard, {.host = "x", .api_key = "another-long-key-here"}), 200U);
    EXPECT_EQ(status(guard, {.host = "x"}, Access::open), 200U);
}

TEST(Guard, a_slow_rate_answers_its_first_request_and_one_more_in_its_time) {
    Guard guard{{.keys = {key}, .requests_per_second = 0.25}};
    const HttpRequest one{.api_key = key};

    EXPECT_EQ(status(guard, one), 200U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{3900}), 429U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{4100}), 200U);
}

TEST(Guard, a_bucket_empties_and_fills_by_the_clock_and_each_key_has_its_own) {
    Guard guard{{.keys = {key, "another-long-key-here"}, .requests_per_second = 10, .burst = 2}};
    const HttpRequest one{.api_key = key};
    const HttpRequest other{.api_key = "another-long-key-here"};

    EXPECT_EQ(status(guard, one), 200U);
    EXPECT_EQ(status(guard, one), 200U);
    EXPECT_EQ(status(guard, one), 429U);
    EXPECT_EQ(status(guard, other), 200U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{50}), 429U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{200}), 200U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{200}), 200U);
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{100}), 429U) << "a step back";
    EXPECT_EQ(status(guard, one, Access::key, milliseconds{200}), 429U) << "and again to here";
}

TEST(Guard, answers_never_hold_the_key) {
    Guard guard{{.keys = {key}}};
    const auto refusal = guard.refuse({.api_key = "a-wrong-key-of-length"}, Access::key, {});
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->body.find("a-wrong-key"), std::string::npos);
    EXPECT_EQ(refusal->body.find(key), std::string::npos);
}

TEST(Keys, are_one_a_line_and_long) {
    EXPECT_EQ(parse_keys("# comment\n" + key + "\r\n\nsecond-key-0123456789").size(), 2U);
    EXPECT_THROW((void)parse_keys("short"), Error);
    EXPECT_TRUE(parse_keys("").empty());
}

}  // namespace
}  // namespace hg::serve
