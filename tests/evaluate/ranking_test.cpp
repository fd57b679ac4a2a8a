// SPDX-License-Identifier: Apache-2.0
#include "evaluate/ranking.hpp"

#include "core/top_k.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::evaluate {
namespace {

constexpr double tiny = 1e-12;

ItemId item(std::uint32_t index) {
    return ItemId{index};
}

// A list of four with the relevant items (grades 3, 1) at places 2 and 4 and a third one missing
// (grade 2).
std::vector<Judged> hand_case() {
    return {{.rank = 1, .grade = 3}, {.rank = 3, .grade = 1}, {.rank = not_ranked, .grade = 2}};
}

TEST(Ranking, ndcg_with_linear_gain_equals_the_hand_computed_value) {
    const double dcg = 3 / std::log2(3.0) + 1 / std::log2(5.0);
    const double ideal = 3 + 2 / std::log2(3.0) + 1 / std::log2(4.0);

    EXPECT_NEAR(ndcg_at(hand_case(), 5), dcg / ideal, tiny);
}

TEST(Ranking, ndcg_with_exponential_gain_equals_the_hand_computed_value) {
    const double dcg = 7 / std::log2(3.0) + 1 / std::log2(5.0);
    const double ideal = 7 + 3 / std::log2(3.0) + 1 / std::log2(4.0);

    EXPECT_NEAR(ndcg_at(hand_case(), 5, Gain::exponential), dcg / ideal, tiny);
}

TEST(Ranking, ndcg_cuts_the_ideal_at_k_too) {
    const std::vector<Judged> judged{{.rank = 0}, {.rank = 5}};

    EXPECT_NEAR(ndcg_at(judged, 1), 1.0, tiny);
}

TEST(Ranking, recall_precision_and_f1_equal_the_hand_computed_values) {
    const auto judged = hand_case();

    EXPECT_NEAR(recall_at(judged, 5), 2.0 / 3, tiny);
    EXPECT_NEAR(recall_at(judged, 2), 1.0 / 3, tiny);
    EXPECT_NEAR(recall_at(judged, 2, Denominator::min_k_relevant), 1.0 / 2, tiny);
    EXPECT_NEAR(precision_at(judged, 5), 2.0 / 5, tiny);
    EXPECT_NEAR(f1_at(judged, 5), 2 * (2.0 / 3) * (2.0 / 5) / (2.0 / 3 + 2.0 / 5), tiny);
}

TEST(Ranking, average_precision_divides_by_all_relevant_or_by_the_smaller_of_k_and_relevant) {
    const auto judged = hand_case();

    EXPECT_NEAR(average_precision_at(judged, 5), (1.0 / 2 + 2.0 / 4) / 3, tiny);
    EXPECT_NEAR(average_precision_at(judged, 2, Denominator::min_k_relevant), (1.0 / 2) / 2, tiny);
}

TEST(Ranking, reciprocal_rank_stops_at_k) {
    EXPECT_NEAR(reciprocal_rank_at(hand_case(), 5), 0.5, tiny);
    EXPECT_NEAR(reciprocal_rank_at(hand_case(), 1), 0.0, tiny);
}

TEST(Ranking, rank_biased_precision_is_binary_by_default) {
    EXPECT_NEAR(rank_biased_precision(hand_case(), 0.8), 0.2 * (0.8 + 0.512), tiny);
    EXPECT_NEAR(
        rank_biased_precision(hand_case(), 0.8, Gain::linear), 0.2 * (3 * 0.8 + 0.512), tiny
    );
}

TEST(Ranking, a_user_without_relevant_items_scores_zero_everywhere) {
    const std::vector<Judged> none;

    EXPECT_EQ(ndcg_at(none, 10), 0);
    EXPECT_EQ(recall_at(none, 10), 0);
    EXPECT_EQ(average_precision_at(none, 10), 0);
    EXPECT_EQ(hit_at(none, 10), 0);
    EXPECT_EQ(r_precision(none), 0);
}

TEST(Ranking, an_item_listed_nowhere_is_not_ranked) {
    const std::vector<ItemId> list{item(4), item(2)};
    const std::vector<Relevant> relevant{{item(2), 1}, {item(9), 1}};

    const auto judged = judge_list(list, relevant);

    EXPECT_EQ(judged[0].rank, 1);
    EXPECT_EQ(judged[1].rank, not_ranked);
}

TEST(Ranking, equal_scores_share_the_middle_place) {
    const std::vector<float> scores{1, 1, 1, 1, 1};
    const std::vector<ItemId> targets{item(0)};

    const auto judged = judge_scores(scores, targets);

    EXPECT_EQ(judged[0].rank, 2);
    EXPECT_EQ(hit_at(judged, 2), 0);
    EXPECT_EQ(hit_at(judged, 3), 1);
}

TEST(Ranking, a_masked_target_is_never_a_hit_even_when_everything_else_is_masked) {
    const std::vector<float> scores{masked_score, masked_score, masked_score};
    const std::vector<ItemId> targets{item(1)};

    EXPECT_EQ(judge_scores(scores, targets)[0].rank, not_ranked);
}

TEST(Ranking, tie_rules_differ_as_the_libraries_do) {
    const std::vector<ScoredItem> tied{{item(0), 1}, {item(1), 1}, {item(2), 1}};
    const std::vector<Relevant> relevant{{item(0), 1}};

    EXPECT_EQ(judge_answer(tied, relevant, TieRule::half)[0].rank, 1);
    EXPECT_EQ(judge_answer(tied, relevant, TieRule::id_descending)[0].rank, 2);
    EXPECT_EQ(judge_answer(tied, relevant, TieRule::as_listed)[0].rank, 0);
}

TEST(Ranking, users_missing_from_a_run_count_zero_and_are_reported) {
    const std::vector<double> values{1.0, 0.5};

    const auto counted = mean_over_users(values, 3);
    const auto dropped = mean_over_users(values, 3, MissingUsers::drop);

    EXPECT_NEAR(counted.mean, 0.5, tiny);
    EXPECT_EQ(counted.n_users, 3U);
    EXPECT_EQ(counted.n_missing, 1U);
    EXPECT_NEAR(dropped.mean, 0.75, tiny);
    EXPECT_EQ(dropped.n_users, 2U);
}

}  // namespace
}  // namespace hg::evaluate
