// SPDX-License-Identifier: Apache-2.0
#include "train/blend.hpp"

#include "train/fit_blend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace hg::train {
namespace {

/// Gives every history the same scores.
class Fixed final : public Recommender {
  public:
    explicit Fixed(std::vector<float> scores) : scores_(std::move(scores)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::copy(scores_, out.row(row).begin());
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return scores_.size(); }

    void save(SafetensorsWriter& weights) const override {
        weights.add<float>("scores", std::span<const float>{scores_});
    }

  private:
    std::vector<float> scores_;
};

/// Knows that item i is followed by item i + 1.
class Successor final : public Recommender {
  public:
    explicit Successor(std::size_t n_items) : n_items_(n_items) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::fill(out.row(row), 0.0F);
            if (!histories[row].empty()) {
                const auto next = histories[row].items.back().index() + 1;
                if (next < n_items_) {
                    out(row, next) = 1;
                }
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return n_items_; }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    std::size_t n_items_;
};

Blend two_parts(std::vector<float> first, std::vector<float> second, Matrix<float> weights) {
    std::vector<Blend::Part> parts;
    parts.push_back({"first", std::make_unique<Fixed>(std::move(first))});
    parts.push_back({"second", std::make_unique<Fixed>(std::move(second))});
    return Blend{std::move(parts), std::move(weights)};
}

Matrix<float> constant_weights(float first, float second) {
    Matrix<float> weights(Blend::knots.size(), 2);
    for (std::size_t knot = 0; knot < Blend::knots.size(); ++knot) {
        weights(knot, 0) = first;
        weights(knot, 1) = second;
    }
    return weights;
}

TEST(Standardise, scores_have_mean_0_and_deviation_1_over_what_was_not_seen) {
    std::vector<float> scores{1, 2, 3, 1000};
    const std::vector<ItemId> seen{ItemId{3}, ItemId{3}};

    standardise(scores, seen);

    EXPECT_NEAR(scores[0] + scores[1] + scores[2], 0, 1e-5);
    EXPECT_NEAR(scores[2], std::sqrt(1.5), 1e-4);
}

TEST(Standardise, equal_scores_become_zero) {
    std::vector<float> scores(5, 0.3F);

    standardise(scores, {});

    EXPECT_THAT(scores, testing::Each(testing::FloatNear(0, 1e-6)));
}

TEST(Standardise, small_scores_count_as_much_as_large_ones) {
    std::vector<float> scores{1e-8F, 2e-8F, 3e-8F};

    standardise(scores, {});

    EXPECT_NEAR(scores[2], std::sqrt(1.5), 1e-4);
}

TEST(Blend, does_not_depend_on_the_scale_of_a_part) {
    const auto a = two_parts({1, 2, 3}, {3, 1, 2}, constant_weights(1, 1));
    const auto b = two_parts({10, 20, 30}, {-7, -9, -8}, constant_weights(1, 1));
    const data::History nobody;
    Matrix<float> first(1, 3);
    Matrix<float> second(1, 3);

    a.score({&nobody, 1}, first.view());
    b.score({&nobody, 1}, second.view());

    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(first(0, i), second(0, i), 1e-4);
    }
}

TEST(Blend, weights_are_interpolated_between_knots_and_constant_past_the_last) {
    auto weights = constant_weights(0, 1);
    for (std::size_t knot = 0; knot < Blend::knots.size(); ++knot) {
        weights(knot, 0) = static_cast<float>(knot);
    }
    const auto blend = two_parts({1, 2}, {2, 1}, std::move(weights));

    EXPECT_FLOAT_EQ(blend.weight(0, 0), 0);
    EXPECT_FLOAT_EQ(blend.weight(0, 1), 1);
    EXPECT_FLOAT_EQ(blend.weight(0, 2), 2);
    EXPECT_GT(blend.weight(0, 3), 2);
    EXPECT_LT(blend.weight(0, 3), 3);
    EXPECT_FLOAT_EQ(blend.weight(0, 1000), 5);
}

TEST(FitBlendWeights, the_part_that_knows_gets_the_weight_once_there_is_an_event) {
    constexpr std::uint32_t n_items = 30;
    std::vector<Blend::Part> parts;
    parts.push_back({"noise", std::make_unique<Fixed>(std::vector<float>(n_items, 0.0F))});
    parts.push_back({"successor", std::make_unique<Successor>(n_items)});
    std::vector<data::HistoryBuffer> buffers(40);
    std::vector<data::History> held_out;
    for (std::uint32_t u = 0; u < buffers.size(); ++u) {
        for (std::uint32_t i = 0; i < 8; ++i) {
            buffers[u].add(ItemId{(u + i) % n_items});
        }
        held_out.push_back(buffers[u].view());
    }
    SilentProgress progress;

    const auto fitted = fit_blend_weights(parts, {.histories = held_out}, progress);

    EXPECT_GT(fitted.weights(1, 1), 0);
    EXPECT_GT(fitted.ndcg[1], fitted.single_ndcg(1, 0));
    EXPECT_EQ(fitted.n_users[1], 40U);
    EXPECT_EQ(fitted.n_users[5], 0U) << "nobody has 20 events";
    EXPECT_EQ(fitted.weights(5, 1), fitted.weights(4, 1)) << "so the knot before it counts";
}

TEST(FitBlendWeights, where_order_means_nothing_all_the_other_items_may_be_next) {
    // Twelve items of which ten are asked for: a perfect list finds them with chance 10 / 12 each.
    constexpr std::uint32_t n_items = 30;
    std::vector<float> scores(n_items, 0.0F);
    data::HistoryBuffer buffer;
    for (std::uint32_t i = 0; i < 12; ++i) {
        scores[i] = 1 + static_cast<float>(i);
        buffer.add(ItemId{i});
    }
    std::vector<Blend::Part> parts;
    parts.push_back({"all_twelve", std::make_unique<Fixed>(scores)});
    const std::vector<data::History> held_out(25, buffer.view());
    SilentProgress progress;

    const auto in_order = fit_blend_weights(parts, {.histories = held_out}, progress);
    const auto in_any = fit_blend_weights(
        parts, {.histories = held_out, .order = EventOrder::means_nothing}, progress
    );

    EXPECT_NEAR(in_any.single_ndcg(0, 0), 10.0 / 12.0, 1e-6);
    EXPECT_LT(in_order.single_ndcg(0, 0), 0.8)
        << "the list starts with the two that are not asked for";
    EXPECT_EQ(in_any.n_users[0], 25U);
    EXPECT_GT(in_order.weights(0, 0), 0) << "a blend of nothing is no blend";
    EXPECT_NEAR(in_any.single_ndcg(3, 0), 1, 1e-6)
        << "after five events seven are left, all asked for";
}

}  // namespace
}  // namespace hg::train
