// SPDX-License-Identifier: Apache-2.0
#include "train/models/episode_options.hpp"

#include <gtest/gtest.h>

#include <map>

namespace hg::train {
namespace {

std::map<std::size_t, int> drawn(const EpisodeOptions& options, std::size_t n_items) {
    std::map<std::size_t, int> counts;
    Rng rng{5};
    for (int i = 0; i < 11'000; ++i) {
        ++counts[context_size(options, n_items, rng)];
    }
    return counts;
}

// 1,000 of each expected, one standard error 30.
TEST(ContextSize, of_short_episodes_is_uniform_from_none_to_ten) {
    const auto counts = drawn({.max_context = 10, .long_share = 0}, 40);

    EXPECT_EQ(counts.size(), 11U);
    EXPECT_EQ(counts.rbegin()->first, 10U);
    for (const auto& [k, count] : counts) {
        EXPECT_NEAR(count, 1000, 150) << k;
    }
}

TEST(ContextSize, leaves_an_item_to_ask_for) {
    EXPECT_EQ(drawn({.max_context = 10, .long_share = 0}, 1).size(), 1U);
    EXPECT_EQ(drawn({.max_context = 10, .long_share = 0}, 4).rbegin()->first, 3U);
    EXPECT_EQ(drawn({.max_context = 10, .long_share = 1}, 40).rbegin()->first, 39U);
}

}  // namespace
}  // namespace hg::train
