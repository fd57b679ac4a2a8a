// SPDX-License-Identifier: Apache-2.0
#include "policy/plackett_luce.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace hg::policy {
namespace {

std::vector<Scored> candidates(std::size_t n) {
    std::vector<Scored> made;
    for (std::uint32_t i = 0; i < n; ++i) {
        made.push_back({.index = 100 + i, .score = -static_cast<float>(i)});
    }
    return made;
}

TEST(PlackettLuce, a_slate_holds_distinct_candidates) {
    const PlackettLuce policy{{.epsilon = 0.5}};
    Rng rng{7};

    const auto slate = policy.act(candidates(20), 10, rng);

    std::set<std::uint32_t> distinct;
    for (const auto& slot : slate.slots) {
        distinct.insert(slot.item);
    }
    EXPECT_EQ(distinct.size(), 10U);
    EXPECT_FALSE(slate.deterministic);
}

TEST(PlackettLuce, without_exploration_and_temperature_it_is_greedy_and_says_so) {
    const PlackettLuce policy{{.epsilon = 0, .temperature = 0}};
    Rng rng{7};

    const auto slate = policy.act(candidates(5), 3, rng);

    EXPECT_TRUE(slate.deterministic);
    for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(slate.slots[i].item, 100 + i);
        EXPECT_DOUBLE_EQ(slate.slots[i].propensity, 1);
        EXPECT_FALSE(slate.slots[i].explored);
    }
}

TEST(PlackettLuce, the_probabilities_of_all_ordered_slates_sum_to_one) {
    const PlackettLuce policy{{.epsilon = 0.2, .temperature = 0.7}};
    const auto pool = candidates(4);
    double total = 0;

    for (const auto& a : pool) {
        for (const auto& b : pool) {
            if (a.index == b.index) {
                continue;
            }
            const auto factors = policy.propensities(pool, std::vector{a.index, b.index});
            total += factors[0] * factors[1];
        }
    }

    EXPECT_NEAR(total, 1, 1e-12);
}

TEST(PlackettLuce, the_logged_propensity_is_the_one_computed_for_the_same_slate) {
    const PlackettLuce policy{{.epsilon = 0.1, .temperature = 0.5}};
    const auto pool = candidates(30);
    Rng rng{11};
    for (int draw = 0; draw < 50; ++draw) {
        const auto slate = policy.act(pool, 6, rng);
        std::vector<std::uint32_t> items;
        for (const auto& slot : slate.slots) {
            items.push_back(slot.item);
        }

        const auto factors = policy.propensities(pool, items);

        for (std::size_t i = 0; i < items.size(); ++i) {
            EXPECT_DOUBLE_EQ(factors[i], slate.slots[i].propensity);
        }
    }
}

TEST(PlackettLuce, drawn_frequencies_agree_with_the_propensities) {
    // n = 200,000 draws of the first slot: a binomial share p has sd <= 0.00112, so 6 sd = 0.0067
    // is crossed by chance about once in 10^8 for each of the 5 items.
    const PlackettLuce policy{{.epsilon = 0.3, .temperature = 1.0}};
    const auto pool = candidates(5);
    constexpr int n = 200'000;
    std::map<std::uint32_t, int> counts;
    Rng rng{3};
    for (int i = 0; i < n; ++i) {
        ++counts[policy.act(pool, 1, rng).slots[0].item];
    }

    for (const auto& candidate : pool) {
        const double p = policy.propensities(pool, std::vector{candidate.index})[0];
        EXPECT_NEAR(static_cast<double>(counts[candidate.index]) / n, p, 0.0067);
    }
}

TEST(PlackettLuce, no_candidate_of_the_pool_falls_below_epsilon_over_m) {
    const PlackettLuce policy{{.epsilon = 0.05, .temperature = 0.01, .max_candidates = 50}};
    const auto pool = candidates(80);

    const auto first = policy.first_slot(pool);
    ASSERT_EQ(first.size(), 50U);
    for (std::size_t i = 0; i < pool.size(); ++i) {
        const double p = policy.propensities(pool, std::vector{pool[i].index})[0];
        EXPECT_EQ(i < 50 ? first[i] : 0.0, p);
        EXPECT_GE(p, i < 50 ? 0.05 / 50 : 0.0);
        EXPECT_EQ(p == 0, i >= 50);
    }
}

TEST(PlackettLuce, its_version_says_its_options) {
    const PlackettLuceOptions wanted{
        .epsilon = 0.123456789, .temperature = 1e-7, .max_candidates = 7
    };

    const auto read = parse_plackett_luce(PlackettLuce{wanted}.version());

    ASSERT_TRUE(read);
    EXPECT_EQ(read->epsilon, wanted.epsilon);
    EXPECT_EQ(read->temperature, wanted.temperature);
    EXPECT_EQ(read->max_candidates, wanted.max_candidates);
    for (const auto* other :
         {"",
          "greedy",
          "plackett_luce(epsilon=,temperature=1,m=5)",
          "plackett_luce(epsilon=0.1,temperature=1,m=5) and more"}) {
        EXPECT_FALSE(parse_plackett_luce(other)) << other;
    }
}

TEST(PlackettLuce, equal_scores_and_too_few_candidates_are_no_trouble) {
    const PlackettLuce policy{{}};
    Rng rng{1};
    const std::vector<Scored> flat(3, Scored{.index = 1, .score = 2});

    EXPECT_EQ(policy.act({}, 10, rng).slots.size(), 0U);
    EXPECT_EQ(policy.act(flat, 10, rng).slots.size(), 3U);
}

/// 8 candidates, the best 4 drawn as always, a share of the slots from all 8.
PlackettLuce collecting(double share) {
    return PlackettLuce{
        {.epsilon = 0.1,
         .temperature = 0.5,
         .max_candidates = 4,
         .random_share = share,
         .random_candidates = 8}
    };
}

TEST(PlackettLuce, data_collection_reaches_the_wider_pool_with_probabilities_that_sum_to_one) {
    const auto pool = candidates(12);
    double total = 0;
    for (const auto& a : pool) {
        for (const auto& b : pool) {
            if (a.index != b.index) {
                const auto p = collecting(0.2).propensities(pool, std::vector{a.index, b.index});
                total += p[0] * p[1];
            }
        }
    }

    EXPECT_NEAR(total, 1, 1e-12);
    const auto last_of_pool = collecting(0.2).propensities(pool, std::vector{pool[7].index})[0];
    EXPECT_NEAR(last_of_pool, 0.2 / 8, 1e-12);
    EXPECT_EQ(collecting(0.2).propensities(pool, std::vector{pool[8].index})[0], 0);
}

TEST(PlackettLuce, data_collection_draws_as_it_says) {
    // n = 200,000 first slots: the share .025 of one item beyond the best has sd .00035, so 6 sd =
    // .0021 is crossed by chance about once in 10^8.
    const auto pool = candidates(12);
    constexpr int n = 200'000;
    int seen = 0;
    Rng rng{5};
    for (int i = 0; i < n; ++i) {
        seen += collecting(0.2).act(pool, 1, rng).slots[0].item == pool[6].index ? 1 : 0;
    }

    EXPECT_NEAR(static_cast<double>(seen) / n, 0.2 / 8, 0.0021);
}

TEST(PlackettLuce, without_data_collection_nothing_changes_not_even_the_version) {
    const auto pool = candidates(12);
    const PlackettLuce plain{{.epsilon = 0.1, .temperature = 0.5, .max_candidates = 4}};
    Rng one{9};
    Rng other{9};

    const auto a = plain.act(pool, 4, one);
    const auto b = collecting(0).act(pool, 4, other);

    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(a.slots[i].item, b.slots[i].item);
        EXPECT_EQ(a.slots[i].propensity, b.slots[i].propensity);
    }
    EXPECT_EQ(plain.version(), collecting(0).version());
}

}  // namespace
}  // namespace hg::policy
