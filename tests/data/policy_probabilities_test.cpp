// SPDX-License-Identifier: Apache-2.0
#include "data/policy_probabilities.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ImpressionLog two_decisions() {
    ImpressionLog log;
    log.append(
        {.recommendation_id = "r1",
         .slots = {{.item_id = "a", .propensity = .5}, {.item_id = "b", .propensity = .5}},
         .reward = 1}
    );
    log.append(
        {.recommendation_id = "r2", .slots = {{.item_id = "b", .propensity = .5}}, .reward = 0}
    );
    return log;
}

std::string error_of(std::string_view text) {
    const auto result = parse_policy_probabilities(text, "p.jsonl", two_decisions());
    return result ? "no error" : result.error().what();
}

TEST(PolicyProbabilities, are_matched_by_id_in_any_order) {
    const auto result = value_or_throw(parse_policy_probabilities(
        "{\"recommendation_id\":\"r2\",\"probabilities\":{\"z\":0.5,\"b\":0.25},\"q_policy\":2}\n\n"
        "{\"recommendation_id\":\"r1\",\"probabilities\":{\"b\":0.5,\"a\":0.5},\"q_policy\":1}\n",
        "p.jsonl",
        two_decisions()
    ));

    EXPECT_THAT(result.slate, ElementsAre(.25, .25));
    EXPECT_THAT(result.slot, ElementsAre(.5, .5, .25));
    EXPECT_THAT(result.q_policy, ElementsAre(1, 2));
    EXPECT_TRUE(result.q_factual.empty());
    EXPECT_TRUE(result.supported_mass.empty());
}

TEST(PolicyProbabilities, are_matched_by_order_where_no_line_has_an_id) {
    const auto result = value_or_throw(parse_policy_probabilities(
        "{\"probabilities\":[1,0.5]}\n{\"probabilities\":[0]}", "p.jsonl", two_decisions()
    ));

    EXPECT_THAT(result.slate, ElementsAre(.5, 0));
}

TEST(PolicyProbabilities, wrong_lines_are_named) {
    EXPECT_THAT(error_of(R"({"probabilities":[1,1]})"), HasSubstr("no line for decision \"r2\""));
    EXPECT_THAT(
        error_of(R"({"recommendation_id":"r9","probabilities":[1]})"),
        HasSubstr("p.jsonl:1: decision \"r9\" is not in the log")
    );
    EXPECT_THAT(
        error_of("{\"probabilities\":[1,1]}\n{\"recommendation_id\":\"r2\",\"probabilities\":[1]}"),
        HasSubstr("p.jsonl:2: recommendation_id is in some lines only")
    );
    EXPECT_THAT(
        error_of("{\"recommendation_id\":\"r2\",\"probabilities\":[1]}\n"
                 "{\"recommendation_id\":\"r2\",\"probabilities\":[1]}"),
        HasSubstr("p.jsonl:2: decision \"r2\" has a second line")
    );
    EXPECT_THAT(error_of(R"({"probabilities":{"a":0.1}})"), HasSubstr("has no item \"b\""));
    EXPECT_THAT(error_of(R"({"probabilities":[1,1.5]})"), HasSubstr("probability of \"b\" is 1.5"));
    EXPECT_THAT(
        error_of(R"({"probabilities":{"a":1,"b":1,"c":1,"d":1,"e":1}})"),
        HasSubstr("p.jsonl:1: probabilities sum to 5, at most 2 for 2 slots is possible")
    );
    EXPECT_THAT(
        error_of(R"({"recommendation_id":"r2","probabilities":{"a":0.6,"b":0.5}})"),
        HasSubstr("probabilities sum to 1.1, at most 1 for 1 slot is possible")
    );
    EXPECT_THAT(error_of(R"({"probabilities":[1]})"), HasSubstr("1 numbers for 2 slots"));
    EXPECT_THAT(error_of(R"({"q":1})"), HasSubstr("probabilities is missing"));
    EXPECT_THAT(
        error_of("{\"probabilities\":[1,1],\"q_factual\":1}\n{\"probabilities\":[1]}"),
        HasSubstr("in some lines")
    );
    EXPECT_THAT(
        error_of("{\"probabilities\":[1,1]}\n{\"probabilities\":[1]}\n{\"probabilities\":[1]}"),
        HasSubstr("p.jsonl:3: the log has only 2 decisions")
    );
}

}  // namespace
}  // namespace hg::data
