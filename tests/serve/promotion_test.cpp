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

    EXPECT_THAT(why_held(policy, {"meta@1", "blend@1", {}}), Optional(HasSubstr("not judged it")));
    write_decision(policy, {.version = "meta@1", .run = "blend@1", .is_promoted = true});

    EXPECT_EQ(why_held(policy, {"meta@1", "blend@1", {}}), std::nullopt);
    for (const auto* same : {"meta/", "meta/.", "./meta"}) {
        EXPECT_EQ(why_held(folder.path() / same, {"meta@1", "blend@1", {}}), std::nullopt) << same;
    }
    EXPECT_THAT(why_held(policy, {"meta@2", "blend@1", {}}), Optional(HasSubstr("other weights")));
    EXPECT_THAT(
        why_held(policy, {"meta@1", "als@1", {}}), Optional(HasSubstr("about run \"blend@1\""))
    );
}

TEST(Promotion, counts_for_the_options_it_was_judged_with) {
    const testing_support::TemporaryFolder folder;
    const auto run = folder / "blend";
    write_decision(
        run,
        {.version = "blend@1",
         .run = "blend@1",
         .is_promoted = true,
         .serving = {{"temperature", 2.0}, {"candidates", 20}}}
    );

    EXPECT_EQ(
        why_held(run, {"blend@1", "blend@1", {.temperature = 2, .max_candidates = 20}}),
        std::nullopt
    );
    EXPECT_THAT(
        why_held(run, {"blend@1", "blend@1", {.temperature = 0.5, .max_candidates = 20}}),
        Optional(HasSubstr("temperature 2.0, this server has 0.5"))
    );
}

TEST(Promotion, a_policy_that_was_held_says_why) {
    const testing_support::TemporaryFolder folder;
    const auto policy = folder / "meta";
    write_decision(policy, {.version = "meta@1", .run = "blend@1", .is_promoted = true});
    write_decision(
        policy,
        {.version = "meta@1", .run = "blend@1", .is_promoted = false, .sentence = "hold: too little"
        }
    );

    EXPECT_THAT(
        why_held(policy, {"meta@1", "blend@1", {}}), Optional(HasSubstr("hold: too little"))
    );
    EXPECT_FALSE(std::filesystem::exists(policy)) << "the run itself is never changed";
}

TEST(Promotion, a_file_that_is_no_decision_is_an_error_and_no_promotion) {
    const testing_support::TemporaryFolder folder;
    for (const auto* text :
         {"",
          "[]",
          "{}",
          R"({"decision": "promote"})",
          R"({"decision": 1, "version": "meta@1", "run": "blend@1", "sentence": ""})",
          R"({"decision": "promote", "version": "meta@1", "run": "blend@1", "sentence": "", "serving": 3})"
         }) {
        write_file_atomic(decision_path(folder / "meta"), text);
        EXPECT_THROW((void)why_held(folder / "meta", {"meta@1", "blend@1", {}}), Error) << text;
    }
}

}  // namespace
}  // namespace hg::serve
