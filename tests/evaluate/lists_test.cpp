// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.hpp"
#include "evaluate/diversity.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hg::evaluate {
namespace {

constexpr double tiny = 1e-12;

ItemList list(std::initializer_list<std::uint32_t> items) {
    ItemList result;
    for (const auto i : items) {
        result.push_back(ItemId{i});
    }
    return result;
}

TEST(Exposure, everyone_the_same_list_is_full_concentration_on_it) {
    const std::vector<ItemList> lists{list({0, 1}), list({0, 1}), list({0, 1})};

    const auto shown = count_exposure(lists, 2, 4);

    EXPECT_NEAR(coverage(shown), 0.5, tiny);
    EXPECT_NEAR(gini(shown), 0.5, tiny);                         // counts 0 0 3 3
    EXPECT_NEAR(gini(shown, GiniOver::shown_items), 0.0, tiny);  // counts 3 3
    EXPECT_NEAR(entropy_nats(shown), std::log(2.0), tiny);
    EXPECT_NEAR(effective_catalogue(shown), 2.0, tiny);
    EXPECT_NEAR(herfindahl(shown), 0.5, tiny);
    EXPECT_NEAR(personalisation(lists, 2, 4), 0.0, tiny);
}

TEST(Exposure, lists_without_overlap_are_fully_personal) {
    const std::vector<ItemList> lists{list({0, 1}), list({2, 3})};

    EXPECT_NEAR(personalisation(lists, 2, 4), 1.0, tiny);
}

TEST(Exposure, nothing_shown_is_zero_and_not_a_division_by_zero) {
    const auto shown = count_exposure({}, 10, 5);

    EXPECT_EQ(coverage(shown), 0);
    EXPECT_EQ(gini(shown), 0);
    EXPECT_EQ(entropy_nats(shown), 0);
    EXPECT_EQ(effective_catalogue(shown), 0);
}

TEST(Novelty, self_information_is_smoothed_so_an_unseen_item_is_finite) {
    const std::vector<std::uint64_t> popularity{3, 0, 1, 0};  // N + |I| = 8
    const std::vector<ItemList> lists{list({0, 1})};

    EXPECT_NEAR(self_information_bits(lists, 2, popularity), (1.0 + 3.0) / 2, tiny);
}

TEST(Novelty, the_long_tail_share_counts_what_is_outside_the_most_popular_fifth) {
    const std::vector<std::uint64_t> popularity{5, 9, 9, 1, 0, 0, 0, 0, 0, 0};
    const std::vector<ItemList> lists{list({1, 2}), list({2, 3})};

    const auto is_head = head_items(popularity);

    EXPECT_NEAR(head_share(lists, 2, is_head), (1.0 + 0.5) / 2, tiny);
    EXPECT_NEAR(average_popularity(lists, 2, popularity), (9.0 + 5.0) / 2, tiny);
}

TEST(Novelty, popularity_lift_is_zero_when_lists_look_like_histories) {
    const std::vector<std::uint64_t> popularity{4, 2};
    const std::vector<ItemList> histories{list({0, 1})};

    EXPECT_NEAR(popularity_lift(histories, 2, histories, popularity), 0.0, tiny);
    EXPECT_NEAR(
        popularity_lift(std::vector<ItemList>{list({0})}, 2, histories, popularity), 1.0 / 3, tiny
    );
}

TEST(Diversity, orthogonal_items_are_at_distance_one_and_equal_ones_at_zero) {
    const Matrix<float> vectors(3, 2, {1, 0, 0, 1, 2, 0});

    EXPECT_NEAR(
        intra_list_diversity(std::vector<ItemList>{list({0, 1})}, 2, vectors.view()), 1.0, 1e-7
    );
    EXPECT_NEAR(
        intra_list_diversity(std::vector<ItemList>{list({0, 2})}, 2, vectors.view()), 0.0, 1e-7
    );
    EXPECT_NEAR(
        unexpectedness(
            std::vector<ItemList>{list({0, 1})}, 2, std::vector<ItemList>{list({2})}, vectors.view()
        ),
        0.5,
        1e-7
    );
}

struct Genres {
    std::vector<std::int64_t> offsets{0, 1, 3, 4, 4};
    std::vector<std::uint32_t> codes{0, 0, 1, 1};  // item 0: {0}, 1: {0, 1}, 2: {1}, 3: none

    [[nodiscard]] ItemGroups view() const { return {offsets, codes, 2}; }
};

TEST(Diversity, genre_distance_counts_the_genres_in_which_two_items_differ) {
    const Genres genres;

    EXPECT_NEAR(
        intra_list_diversity(std::vector<ItemList>{list({0, 1, 2})}, 3, genres.view()),
        4.0 / 3,
        tiny
    );
}

TEST(Calibration, a_list_with_the_mix_of_the_history_is_calibrated) {
    const Genres genres;
    const std::vector<ItemList> histories{list({0, 2})};

    EXPECT_NEAR(
        calibration_kl_nats(histories, std::vector<ItemList>{list({1})}, 5, genres.view()),
        0.0,
        tiny
    );
    EXPECT_NEAR(
        calibration_js_bits(histories, std::vector<ItemList>{list({1})}, 5, genres.view()),
        0.0,
        tiny
    );
}

TEST(Calibration, a_missing_genre_costs_what_the_smoothed_divergence_says) {
    const Genres genres;
    const std::vector<ItemList> histories{list({0, 2})};  // p = .5 .5
    const std::vector<ItemList> lists{list({0})};         // q = 1 0

    const double expected = .5 * std::log(.5 / (.99 + .005)) + .5 * std::log(.5 / .005);

    EXPECT_NEAR(calibration_kl_nats(histories, lists, 5, genres.view()), expected, tiny);
}

TEST(Calibration, items_without_genres_leave_the_user_out) {
    const Genres genres;

    EXPECT_EQ(
        calibration_kl_nats(
            std::vector<ItemList>{list({3})}, std::vector<ItemList>{list({0})}, 5, genres.view()
        ),
        0
    );
    EXPECT_NEAR(
        group_entropy_nats(std::vector<ItemList>{list({1}), list({3})}, 5, genres.view()),
        std::log(2.0),
        tiny
    );
}

}  // namespace
}  // namespace hg::evaluate
