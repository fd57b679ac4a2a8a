// SPDX-License-Identifier: Apache-2.0
// sequence_block_net: what a sequence net is stacked of. Private to this room.
//
// Letters: B sequences, T tokens, D width, H heads. Every block is causal: row t sees rows 0..t.
#pragma once

#include "train/dropout.hpp"
#include "train/models/sequence_options.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

namespace hg::train {

struct SequenceShape {
    BlockKind block = BlockKind::attention;
    std::int64_t n_items = 0;
    std::int64_t dim = 64;
    std::int64_t blocks = 2;
    std::int64_t heads = 1;
    std::int64_t max_length = 200;  // tokens
    std::int64_t content_dim = 0;   // 0 = no content
    std::int64_t feed_forward = 2;  // inner width of a block's two layers, in units of dim
};

struct SequenceBlock : torch::nn::Module {
    /// x: [B, T, D] -> [B, T, D]
    [[nodiscard]] virtual at::Tensor forward(const at::Tensor& x, const Dropout& drop) = 0;
};

/// One pre-norm transformer block.
struct AttentionBlock final : SequenceBlock {
    explicit AttentionBlock(const SequenceShape& shape) : heads(shape.heads) {
        const auto d = shape.dim;
        const torch::nn::LayerNormOptions norm{{d}};
        attention_norm = register_module("attention_norm", torch::nn::LayerNorm(norm));
        qkv = register_module("qkv", torch::nn::Linear(d, 3 * d));
        out = register_module("out", torch::nn::Linear(d, d));
        feed_norm = register_module("feed_norm", torch::nn::LayerNorm(norm));
        widen = register_module("widen", torch::nn::Linear(d, shape.feed_forward * d));
        narrow = register_module("narrow", torch::nn::Linear(shape.feed_forward * d, d));
    }

    /// x: [B, T, D] -> [B, T, D]
    [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Dropout& drop) override {
        const auto attended = x + drop(attend(attention_norm(x)));
        return attended + drop(narrow(drop(at::gelu(widen(feed_norm(attended))))));
    }

    /// No dropout on the attention weights: the fused causal kernel has none, and the rest
    /// suffices.
    [[nodiscard]] at::Tensor attend(const at::Tensor& x) {
        const auto b = x.size(0);
        const auto t = x.size(1);
        const auto d = x.size(2);
        const auto parts =
            qkv(x).view({b, t, 3, heads, d / heads}).permute({2, 0, 3, 1, 4});  // [3, B, H, T, D/H]
        const auto mixed = at::scaled_dot_product_attention(
            parts[0], parts[1], parts[2], {}, /*dropout_p=*/0.0, /*is_causal=*/true
        );
        return out(mixed.transpose(1, 2).reshape({b, t, d}));
    }

    std::int64_t heads;
    torch::nn::LayerNorm attention_norm{nullptr};
    torch::nn::Linear qkv{nullptr};
    torch::nn::Linear out{nullptr};
    torch::nn::LayerNorm feed_norm{nullptr};
    torch::nn::Linear widen{nullptr};
    torch::nn::Linear narrow{nullptr};
};

/// One block of HSTU: Zhai et al., "Actions Speak Louder than Words" (2024), equations 1 to 3.
///
/// Weights are silu(q k' + bias of the distance) / max_length and need not sum to 1, so that how
/// often something happened is seen; a gate takes the place of the feed-forward layers. Deviation:
/// the bias knows places and not times (many logs have an order and no clock).
struct HstuBlock final : SequenceBlock {
    explicit HstuBlock(const SequenceShape& shape)
        : heads(shape.heads), max_length(shape.max_length) {
        const auto d = shape.dim;
        const torch::nn::LayerNormOptions norm{{d}};
        input_norm = register_module("input_norm", torch::nn::LayerNorm(norm));
        uvqk = register_module("uvqk", torch::nn::Linear(d, 4 * d));
        distance = register_parameter("distance", torch::zeros({max_length, heads}));
        mixed_norm = register_module("mixed_norm", torch::nn::LayerNorm(norm));
        out = register_module("out", torch::nn::Linear(d, d));
    }

    [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Dropout& drop) override {
        const auto b = x.size(0);
        const auto t = x.size(1);
        const auto d = x.size(2);
        const auto parts = at::silu(uvqk(input_norm(x))).view({b, t, 4, heads, d / heads});
        const auto by_head = parts.permute({2, 0, 3, 1, 4});  // [4, B, H, T, D/H]
        const auto logits = by_head[2].matmul(by_head[3].transpose(-1, -2)) + bias(t);
        const auto weights =
            (at::silu(logits) / static_cast<double>(max_length)).tril();  // [B, H, T, T]
        const auto mixed = weights.matmul(by_head[1]).transpose(1, 2).reshape({b, t, d});
        const auto gate = by_head[0].transpose(1, 2).reshape({b, t, d});
        return x + out(drop(mixed_norm(mixed) * gate));
    }

    /// [H, T, T]: what row i adds for row j, by i - j; above the diagonal it is cut off later.
    [[nodiscard]] at::Tensor bias(std::int64_t t) const {
        const auto places = at::arange(t, distance.options().requires_grad(false).dtype(at::kLong));
        const auto apart = (places.unsqueeze(1) - places.unsqueeze(0)).clamp_min(0);
        return at::embedding(distance, apart).permute({2, 0, 1});
    }

    std::int64_t heads;
    std::int64_t max_length;
    at::Tensor distance;  // [max_length, H]
    torch::nn::LayerNorm input_norm{nullptr};
    torch::nn::Linear uvqk{nullptr};
    torch::nn::LayerNorm mixed_norm{nullptr};
    torch::nn::Linear out{nullptr};
};

[[nodiscard]] inline std::shared_ptr<SequenceBlock> make_block(const SequenceShape& shape) {
    if (shape.block == BlockKind::hstu) {
        return std::make_shared<HstuBlock>(shape);
    }
    return std::make_shared<AttentionBlock>(shape);
}

}  // namespace hg::train
