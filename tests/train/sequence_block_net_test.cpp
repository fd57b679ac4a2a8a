// SPDX-License-Identifier: Apache-2.0
// The blocks against their equations, written out in loops.
#include "train/models/sequence_block_net.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace hg::train {
namespace {

double silu(double x) {
    return x / (1 + std::exp(-x));
}

TEST(HstuBlock, is_what_its_equations_say) {
    constexpr std::int64_t t = 4;
    constexpr std::int64_t d = 6;
    constexpr std::int64_t heads = 2;
    constexpr std::int64_t width = d / heads;
    torch::manual_seed(4);
    HstuBlock block{{.block = BlockKind::hstu, .dim = d, .heads = heads, .max_length = 9}};
    const at::NoGradGuard no_grad;
    for (auto& parameter : block.parameters()) {
        parameter.normal_(0, 0.7);
    }
    block.to(at::kDouble);
    const auto x = at::randn({1, t, d}, at::kDouble);

    const auto got = block.forward(x, {});

    const auto parts = block.uvqk(block.input_norm(x))[0];  // [T, 4 D]
    const auto part = [&](std::int64_t row, std::int64_t which, std::int64_t h, std::int64_t i) {
        return silu(parts[row][which * d + h * width + i].item<double>());
    };
    auto mixed = at::zeros({1, t, d}, at::kDouble);
    auto gate = at::zeros({1, t, d}, at::kDouble);
    for (std::int64_t row = 0; row < t; ++row) {
        for (std::int64_t h = 0; h < heads; ++h) {
            for (std::int64_t i = 0; i < width; ++i) {
                gate[0][row][h * width + i] = part(row, 0, h, i);
            }
            for (std::int64_t other = 0; other <= row; ++other) {
                double logit = block.distance[row - other][h].item<double>();
                for (std::int64_t i = 0; i < width; ++i) {
                    logit += part(row, 2, h, i) * part(other, 3, h, i);
                }
                for (std::int64_t i = 0; i < width; ++i) {
                    mixed[0][row][h * width + i] += silu(logit) / 9 * part(other, 1, h, i);
                }
            }
        }
    }
    const auto expected = x + block.out(block.mixed_norm(mixed) * gate);
    EXPECT_TRUE(at::allclose(got, expected, 1e-9, 1e-10)) << got << expected;
}

TEST(AttentionBlock, attends_by_the_softmax_of_scaled_products_over_what_was_before) {
    constexpr std::int64_t t = 4;
    constexpr std::int64_t d = 6;
    constexpr std::int64_t heads = 2;
    constexpr std::int64_t width = d / heads;
    torch::manual_seed(5);
    AttentionBlock block{{.dim = d, .heads = heads}};
    const at::NoGradGuard no_grad;
    for (auto& parameter : block.parameters()) {
        parameter.normal_(0, 0.7);
    }
    block.to(at::kDouble);
    const auto x = at::randn({1, t, d}, at::kDouble);

    const auto got = block.attend(x);

    const auto parts = block.qkv(x)[0];  // [T, 3 D]
    const auto part = [&](std::int64_t row, std::int64_t which, std::int64_t h, std::int64_t i) {
        return parts[row][which * d + h * width + i].item<double>();
    };
    auto mixed = at::zeros({1, t, d}, at::kDouble);
    for (std::int64_t row = 0; row < t; ++row) {
        for (std::int64_t h = 0; h < heads; ++h) {
            std::array<double, t> weights{};
            double sum = 0;
            for (std::int64_t other = 0; other <= row; ++other) {
                double product = 0;
                for (std::int64_t i = 0; i < width; ++i) {
                    product += part(row, 0, h, i) * part(other, 1, h, i);
                }
                weights[static_cast<std::size_t>(other)] =
                    std::exp(product / std::sqrt(1.0 * width));
                sum += weights[static_cast<std::size_t>(other)];
            }
            for (std::int64_t other = 0; other <= row; ++other) {
                const double weight = weights[static_cast<std::size_t>(other)] / sum;
                for (std::int64_t i = 0; i < width; ++i) {
                    mixed[0][row][h * width + i] += weight * part(other, 2, h, i);
                }
            }
        }
    }
    const auto expected = block.out(mixed);
    EXPECT_TRUE(at::allclose(got, expected, 1e-9, 1e-10)) << got << expected;
}

}  // namespace
}  // namespace hg::train
