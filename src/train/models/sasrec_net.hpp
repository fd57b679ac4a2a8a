// SPDX-License-Identifier: Apache-2.0
// SasrecNet: item vectors, and causal self-attention over the last of them. Private to this room.
//
// Letters: B sequences, T tokens, D width, N items, C width of the content. A sequence is filled up
// at its end, where causal attention cannot see it, so padding changes no score and needs no mask.
// Dropout is an argument and not a mode, so that a fitted net is const and many threads may use it.
#pragma once

#include "core/ids.hpp"
#include "train/dropout.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace hg::train {

/// Sequences of item rows as one tensor, filled up at the end with the start token's row.
struct TokenBatch {
    at::Tensor tokens;  // [B, T] int64, row of the token table: 0 = start, 1 + item
    std::int64_t longest = 0;

    explicit TokenBatch(std::span<const std::vector<std::int64_t>> sequences) {
        for (const auto& s : sequences) {
            longest = std::max(longest, static_cast<std::int64_t>(s.size()));
        }
        tokens = at::zeros({static_cast<std::int64_t>(sequences.size()), longest}, at::kLong);
        auto* out = tokens.mutable_data_ptr<std::int64_t>();
        for (const auto& s : sequences) {
            std::ranges::copy(s, out);
            out += longest;
        }
    }
};

struct SasrecShape {
    std::int64_t n_items = 0;
    std::int64_t dim = 64;
    std::int64_t blocks = 2;
    std::int64_t heads = 1;
    std::int64_t max_length = 200;  // tokens
    std::int64_t content_dim = 0;   // 0 = no content
    std::int64_t feed_forward = 2;  // inner width of a block's two layers, in units of dim
};

/// One pre-norm transformer block.
struct SasrecBlock : torch::nn::Module {
    explicit SasrecBlock(const SasrecShape& shape) : heads(shape.heads) {
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
    [[nodiscard]] at::Tensor forward(const at::Tensor& x, const Dropout& drop) {
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

struct SasrecNet : torch::nn::Module {
    explicit SasrecNet(const SasrecShape& net_shape) : shape(net_shape) {
        const auto d = shape.dim;
        items = register_parameter("items", torch::zeros({shape.n_items, d}));
        if (shape.content_dim > 0) {
            projection = register_parameter("projection", torch::zeros({shape.content_dim, d}));
        }
        start = register_parameter("start", torch::zeros({1, d}));
        positions = register_parameter("positions", torch::zeros({shape.max_length, d}));
        for (std::int64_t i = 0; i < shape.blocks; ++i) {
            blocks->push_back(std::make_shared<SasrecBlock>(shape));
        }
        register_module("blocks", blocks);
        final_norm =
            register_module("final_norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions{{d}}));
    }

    /// From torch's generator, which the caller seeds.
    void initialise() {
        const at::NoGradGuard no_grad;
        for (auto& parameter : named_parameters()) {
            auto& value = parameter.value();
            if (value.dim() == 2) {
                value.normal_(0, 0.02);
            } else if (!parameter.key().ends_with("norm.weight")) {
                value.zero_();
            }
        }
    }

    /// The vectors of all items, [N, D]: own vector + projected content. `own`: [N, 1] zero drops
    /// the own vector, so that the content learns to stand alone for items that are new; undefined
    /// = keep all.
    [[nodiscard]] at::Tensor item_table(const at::Tensor& content, const at::Tensor& own = {})
        const {
        if (shape.content_dim == 0) {
            return items;
        }
        return at::addmm(own.defined() ? items * own : items, content, projection);
    }

    /// States after each token, [B, T, D].
    [[nodiscard]] at::Tensor states(
        const at::Tensor& table, const TokenBatch& batch, const Dropout& drop = {}
    ) {
        const auto t = batch.longest;
        HG_CHECK(t <= shape.max_length, "sequences must be cut to max_length");
        const auto tokens = at::cat({start, table}, 0);
        const double scale = std::sqrt(static_cast<double>(shape.dim));
        auto x = at::embedding(tokens, batch.tokens) * scale + positions.slice(0, 0, t);
        x = drop(x);
        for (const auto& block : *blocks) {
            x = block->as<SasrecBlock>()->forward(x, drop);
        }
        return final_norm(x);
    }

    SasrecShape shape;
    at::Tensor items;       // [N, D]
    at::Tensor projection;  // [C, D], undefined without content
    at::Tensor start;       // [1, D]
    at::Tensor positions;   // [max_length, D]
    torch::nn::ModuleList blocks;
    torch::nn::LayerNorm final_norm{nullptr};
};

}  // namespace hg::train
