// SPDX-License-Identifier: Apache-2.0
#include "serve/promotion.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::serve {
namespace {

using testing::HasSubstr;
using testing::Optional;

TEST(Promotion, only_the_weights_and_the_run_that_were_judged_may_serve) {
    const testing_support::TemporaryFolder folder;
    const auto policy = folder / "meta";

    EXPECT_THAT(why_held(policy, "meta@1", "blend"), Optional(HasSubstr("has not judged it")));
    write_decision(policy, {.version = "meta@1", .run = "blend", .is_promoted = true});

    EXPECT_EQ(why_held(policy, "meta@1", "blend"), std::nullopt);
    EXPECT_EQ(why_held(folder.path() / "meta/", "meta@1", "blend"), std::nullopt);
    EXPECT_THAT(why_held(policy, "meta@2", "blend"), Optional(HasSubstr("other weights")));
    EXPECT_THAT(why_held(policy, "meta@1", "als"), Optional(HasSubstr("about run \"blend\"")));
}

TEST(Promotion, a_policy_that_was_held_says_why) {
    const testing_support::TemporaryFolder folder;
    const auto policy = folder / "meta";
    write_decision(policy, {.version = "meta@1", .run = "blend", .is_promoted = true});
    write_decision(
        policy,
        {.version = "meta@1", .run = "blend", .is_promoted = false, .sentence = "hold: too little"}
    );

    EXPECT_THAT(why_held(policy, "meta@1", "blend"), Optional(HasSubstr("hold: too little")));
    EXPECT_FALSE(std::filesystem::exists(policy)) << "the run itself is never changed";
}

TEST(Promotion, a_file_that_is_no_decision_is_an_error_and_no_promotion) {
    const testing_support::TemporaryFolder folder;
    for (const auto* text : {"", "[]", "{}", R"({"decision": "promote"})"}) {
        write_file_atomic(decision_path(folder / "meta"), text);
        EXPECT_THROW((void)why_held(folder / "meta", "meta@1", "blend"), Error) << text;
    }
}

}  // namespace
}  // namespace hg::serve
