// SPDX-License-Identifier: Apache-2.0
#include "core/top_k.hpp"

#include "core/rng.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hg {
namespace {

std::vector<std::uint32_t> indices(const std::vector<Scored>& best) {
    std::vector<std::uint32_t> all;
    for (const auto& one : best) {
        all.push_back(one.index);
    }
    return all;
}

TEST(TopK, equals_a_stable_sort_by_descending_score) {
    Rng rng{5};
    for (int round = 0; round < 200; ++round) {
        std::vector<float> scores(1 + rng.below(50));
        for (auto& score : scores) {
            score = static_cast<float>(rng.below(8));  // many ties
        }
        std::vector<std::uint32_t> order(scores.size());
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::stable_sort(order, std::greater{}, [&](auto i) { return scores[i]; });
        const auto k = rng.below(scores.size() + 5);
        order.resize(std::min(k, order.size()));

        EXPECT_EQ(indices(top_k(scores, k)), order);
    }
}

TEST(TopK, leaves_out_what_is_masked_and_what_is_no_number) {
    std::array<float, 5> scores{5, 4, std::nanf(""), 2, 1};
    mask(scores, std::array{ItemId{0}, ItemId{3}, ItemId{99}});

    EXPECT_THAT(indices(top_k(scores, 5)), testing::ElementsAre(1U, 4U));
}

TEST(TopK, of_nothing_is_nothing) {
    EXPECT_TRUE(top_k({}, 3).empty());
    EXPECT_TRUE(top_k(std::array{1.0F}, 0).empty());
}

}  // namespace
}  // namespace hg
