// SPDX-License-Identifier: Apache-2.0
// The name under which an impression was made says every option again.
#include "policy/slate_policy.hpp"

#include <gtest/gtest.h>

namespace hg::policy {
namespace {

TEST(SlatePolicy, its_text_says_its_options_and_knobs) {
    const SlatePolicy wanted{
        .options =
            {.epsilon = 0.123456789,
             .temperature = 1e-7,
             .max_candidates = 7,
             .random_share = 0.02,
             .random_candidates = 33},
        .knobs = {.exploration = 1.0 / 3, .novelty = -0.1, .content = 1e-9, .diversity = 5},
    };

    const auto read = parse_slate_policy(to_text(wanted));

    ASSERT_TRUE(read);
    EXPECT_EQ(read->options.epsilon, wanted.options.epsilon);
    EXPECT_EQ(read->options.temperature, wanted.options.temperature);
    EXPECT_EQ(read->options.max_candidates, wanted.options.max_candidates);
    EXPECT_EQ(read->options.random_share, wanted.options.random_share);
    EXPECT_EQ(read->options.random_candidates, wanted.options.random_candidates);
    EXPECT_EQ(read->knobs, wanted.knobs);
}

TEST(SlatePolicy, who_chose_the_knobs_stands_at_the_end) {
    for (const Knobs& knobs : {Knobs{}, Knobs{.exploration = 0.25}}) {
        const SlatePolicy wanted{.knobs = knobs, .chosen_by = "meta@0123456789ab"};

        const auto read = parse_slate_policy(to_text(wanted));

        ASSERT_TRUE(read) << to_text(wanted);
        EXPECT_EQ(read->knobs, knobs);
        EXPECT_EQ(read->chosen_by, wanted.chosen_by);
        EXPECT_EQ(to_text(*read), to_text(wanted));
    }
}

TEST(SlatePolicy, without_knobs_it_is_the_plackett_luce_alone) {
    const PlackettLuce policy{{.epsilon = 0.3}};

    EXPECT_EQ(to_text({.options = policy.options()}), policy.version());
    const auto read = parse_slate_policy(policy.version());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->knobs, Knobs{});
    EXPECT_EQ(read->options.random_share, 0);
}

TEST(SlatePolicy, other_texts_are_not_taken_for_one) {
    for (const auto* other :
         {"",
          "greedy",
          "knobs(exploration=1,novelty=0,content=0,diversity=0)",
          "plackett_luce(epsilon=0.1,temperature=1,m=5",
          "plackett_luce(epsilon=0.1,temperature=1,m=5,random=0.1)",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+by()",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+by(meta",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+by(meta)+by(meta)",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+knobs(exploration=1)",
          "plackett_luce(epsilon=0.1,temperature=1,m=5)+knobs(exploration=1,novelty=0,content=0,"
          "diversity=0) and more"}) {
        EXPECT_FALSE(parse_slate_policy(other)) << other;
    }
}

}  // namespace
}  // namespace hg::policy
