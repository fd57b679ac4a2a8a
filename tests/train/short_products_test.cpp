// SPDX-License-Identifier: Apache-2.0
#include "train/short_products.hpp"

#include "train/dropout.hpp"
#include "train/models/sequence_block_net.hpp"
#include "train/ranking_loss.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <gtest/gtest.h>

#include <utility>

namespace hg::train {
namespace {

TEST(ShortProducts, auto_follows_the_processor_and_the_rest_is_as_told) {
    EXPECT_TRUE(products_are_short("bf16"));
    EXPECT_FALSE(products_are_short("fp32"));
    EXPECT_EQ(products_are_short("auto"), has_short_products());
}

TEST(ShortProducts, products_are_short_while_it_lives) {
    const auto x = at::randn({8, 16});
    {
        const ShortProducts guard{true};
        EXPECT_EQ(x.matmul(x.t()).scalar_type(), at::kBFloat16);
    }
    EXPECT_EQ(x.matmul(x.t()).scalar_type(), at::kFloat);
    const ShortProducts none{false};
    EXPECT_EQ(x.matmul(x.t()).scalar_type(), at::kFloat);
}

/// Loss, and its gradient by the inputs, of a block of each kind under a softmax.
class BlockLoss : public testing::TestWithParam<BlockKind> {
  protected:
    [[nodiscard]] std::pair<double, at::Tensor> measured(bool is_short) {
        torch::manual_seed(5);
        const auto block = make_block({.block = GetParam(), .n_items = 40, .dim = 16, .heads = 2});
        const auto x = at::randn({4, 12, 16}).requires_grad_(true);
        const auto table = at::randn({40, 16});
        const auto targets = at::arange(48, at::kLong).remainder(40);
        Rng rng{9};
        at::Tensor loss;
        {
            const ShortProducts guard{is_short};
            const auto states = block->forward(x, {0.2, rng}).flatten(0, 1);
            loss = full_softmax_loss(states, table, targets);
        }
        loss.backward();
        return {loss.item<double>(), x.grad().flatten()};
    }
};

TEST_P(BlockLoss, is_nearly_the_same_and_points_the_same_way) {
    const auto [exact, gradient] = measured(false);
    const auto [close, short_gradient] = measured(true);

    EXPECT_NE(close, exact);
    EXPECT_NEAR(close, exact, 0.02 * exact);
    EXPECT_EQ(short_gradient.scalar_type(), at::kFloat);
    EXPECT_GT(at::cosine_similarity(gradient, short_gradient, 0).item<double>(), 0.995);
}

INSTANTIATE_TEST_SUITE_P(kinds, BlockLoss, testing::Values(BlockKind::attention, BlockKind::hstu));

}  // namespace
}  // namespace hg::train
