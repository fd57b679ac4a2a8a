// SPDX-License-Identifier: Apache-2.0
#include "policy/slate_rule.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

namespace hg::policy {
namespace {

struct NamedRule {
    const char* name;
    SlateRule rule;
};

class Rule : public testing::TestWithParam<NamedRule> {};

const std::vector<float> scores{0.2F, 1.5F, -0.4F, 0.9F};

TEST_P(Rule, the_factors_of_all_slates_multiply_and_add_up_to_one) {
    SlateDrawer drawer{GetParam().rule};
    double total = 0;
    for (std::uint32_t i = 0; i < 4; ++i) {
        for (std::uint32_t j = 0; j < 4; ++j) {
            if (i != j) {
                std::array<double, 2> p{};
                drawer.propensities(scores, std::array{i, j}, p);
                total += p[0] * p[1];
            }
        }
    }
    EXPECT_NEAR(total, 1, 1e-12);
}

// 100,000 slates; a bound of 5 standard errors per cell raises a false alarm once in 1e5 runs.
TEST_P(Rule, slates_come_as_often_as_their_propensities_say_and_log_them) {
    constexpr int n = 100'000;
    SlateDrawer drawer{GetParam().rule};
    Rng rng{5};
    std::map<std::array<std::uint32_t, 2>, double> seen;
    std::array<std::uint32_t, 2> slots{};
    std::array<double, 2> logged{};
    std::array<double, 2> asked{};
    for (int t = 0; t < n; ++t) {
        drawer.draw(scores, rng, slots, logged);
        seen[slots] += 1.0 / n;
        drawer.propensities(scores, slots, asked);
        ASSERT_EQ(logged, asked);
    }
    for (std::uint32_t i = 0; i < 4; ++i) {
        for (std::uint32_t j = 0; j < 4; ++j) {
            if (i != j) {
                drawer.propensities(scores, std::array{i, j}, asked);
                const double p = asked[0] * asked[1];
                EXPECT_NEAR((seen[{i, j}]), p, 5 * std::sqrt(p * (1 - p) / n) + 1e-9);
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    kinds,
    Rule,
    testing::Values(
        NamedRule{"greedy", {.draw = SlateDraw::greedy}},
        NamedRule{"epsilon_greedy", {.draw = SlateDraw::greedy, .epsilon = 0.3}},
        NamedRule{"softmax", {.draw = SlateDraw::softmax, .temperature = 0.7}},
        NamedRule{
            "mixed_softmax", {.draw = SlateDraw::softmax, .temperature = 0.7, .epsilon = 0.2}
        },
        NamedRule{"inverse_gap", {.draw = SlateDraw::inverse_gap, .gamma = 4}}
    ),
    [](const auto& info) { return std::string{info.param.name}; }
);

TEST(SlateRule, inverse_gap_gives_the_published_shares) {
    SlateDrawer drawer{{.draw = SlateDraw::inverse_gap, .gamma = 10}};
    const std::vector<float> two{1.0F, 0.5F};
    std::array<double, 1> p{};

    drawer.propensities(two, std::array{1U}, p);
    EXPECT_DOUBLE_EQ(p[0], 1.0 / (2 + 10 * 0.5));
    drawer.propensities(two, std::array{0U}, p);
    EXPECT_DOUBLE_EQ(p[0], 1 - 1.0 / 7);
}

}  // namespace
}  // namespace hg::policy
