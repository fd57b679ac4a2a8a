// SPDX-License-Identifier: Apache-2.0
#include "train/co_taken.hpp"

#include "train/contrastive_loss.hpp"

#include <torch/types.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

namespace hg::train {
namespace {

constexpr std::array<std::uint32_t, 5> themselves{0, 1, 2, 3, 4};

/// Two users: one took 0, 1, 2 and disliked 4; the other took 3 alone, twice.
data::InteractionLog two_users() {
    std::vector<data::Interaction> events;
    const auto add = [&](std::uint32_t user, std::uint32_t item, float weight) {
        events.push_back(
            {.user = UserId{user},
             .item = ItemId{item},
             .weight = weight,
             .time = static_cast<TimeMs>(events.size())}
        );
    };
    add(0, 0, 1);
    add(0, 4, -1);
    add(0, 1, 1);
    add(0, 2, 1);
    add(1, 3, 1);
    add(1, 3, 1);
    return data::InteractionLog::from_events(std::move(events), 2, 5);
}

std::map<std::uint32_t, int> draws(const CoTaken& pairs, std::uint32_t thing) {
    Rng rng{7};
    std::map<std::uint32_t, int> counts;
    for (int i = 0; i < 1000; ++i) {
        if (const auto other = pairs.draw(thing, rng)) {
            ++counts[*other];
        }
    }
    return counts;
}

TEST(CoTaken, draws_what_one_user_took_within_the_window) {
    const CoTaken pairs{two_users(), themselves, 5, 1};

    EXPECT_THAT(draws(pairs, 0), testing::ElementsAre(testing::Key(1U)));
    const auto around = draws(pairs, 1);
    EXPECT_THAT(around, testing::ElementsAre(testing::Key(0U), testing::Key(2U)));
    EXPECT_NEAR(around.at(0), 500, 80);  // five standard deviations: 6e-7
}

TEST(CoTaken, nothing_goes_with_what_was_taken_alone_or_never) {
    const CoTaken pairs{two_users(), themselves, 5, 3};

    EXPECT_TRUE(draws(pairs, 3).empty());
    EXPECT_TRUE(draws(pairs, 4).empty());
}

TEST(CoTaken, items_that_stand_for_nothing_are_stepped_over) {
    constexpr auto none = CoTaken::nothing;
    const CoTaken pairs{two_users(), std::array<std::uint32_t, 5>{0, none, 1, 1, none}, 2, 1};

    EXPECT_THAT(draws(pairs, 0), testing::ElementsAre(testing::Key(1U)));
}

TEST(ContrastiveLoss, is_the_cross_entropy_of_the_right_partner_both_ways) {
    const auto anchors = torch::tensor({{2.0F, 0.0F}, {0.0F, 1.0F}});
    const auto partners = torch::tensor({{1.0F, 0.0F}, {3.0F, 4.0F}});
    const std::array<std::uint32_t, 2> a{0, 1};
    const std::array<std::uint32_t, 2> b{2, 3};

    const auto logits = pair_logits(anchors, partners, {.anchors = a, .partners = b}, 0.5);

    // Likeness: 1, .6 / 0, .8; over 0.5.
    const auto nll = [](double own, double other) { return std::log(1 + std::exp(other - own)); };
    const auto rows = (nll(2, 1.2) + nll(1.6, 0)) / 2;
    const auto columns = (nll(2, 0) + nll(1.6, 1.2)) / 2;
    EXPECT_NEAR(contrastive_loss(logits).item<double>(), (rows + columns) / 2, 1e-6);
}

TEST(ContrastiveLoss, the_same_thing_twice_in_a_batch_is_no_negative) {
    const auto rows = torch::tensor({{1.0F, 0.0F}, {0.0F, 1.0F}});
    const std::array<std::uint32_t, 2> other{0, 1};
    const std::array<std::uint32_t, 2> same{2, 2};
    const std::array<std::uint32_t, 2> turned{1, 0};

    const auto one_partner = pair_logits(rows, rows, {.anchors = other, .partners = same}, 1);
    const auto each_other = pair_logits(rows, rows, {.anchors = other, .partners = turned}, 1);

    EXPECT_EQ(contrastive_loss(one_partner).item<double>(), 0);
    EXPECT_EQ(contrastive_loss(each_other).item<double>(), 0);
}

}  // namespace
}  // namespace hg::train
