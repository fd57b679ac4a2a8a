// SPDX-License-Identifier: Apache-2.0
// SequenceNet: item vectors, and causal blocks over the last of them. Private to this room.
//
// Letters: B sequences, T tokens, D width, H heads, N items, C width of the content. A sequence is
// filled up at its end, where causal attention cannot see it, so padding changes no score and needs
// no mask. Dropout is an argument and not a mode, so that a fitted net is const and many threads
// may use it.
#pragma once

#include "core/error.hpp"
#include "train/dropout.hpp"
#include "train/models/sequence_block_net.hpp"

#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
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
    at::Tensor tokens;  // [B, T] int64 on the host, row of the token table: 0 = start, 1 + item
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

struct SequenceNet : torch::nn::Module {
    explicit SequenceNet(const SequenceShape& net_shape) : shape(net_shape) {
        const auto d = shape.dim;
        items = register_parameter("items", torch::zeros({shape.n_items, d}));
        if (shape.content_dim > 0) {
            projection = register_parameter("projection", torch::zeros({shape.content_dim, d}));
        }
        start = register_parameter("start", torch::zeros({1, d}));
        positions = register_parameter("positions", torch::zeros({shape.max_length, d}));
        for (std::int64_t i = 0; i < shape.blocks; ++i) {
            blocks->push_back(make_block(shape));
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

    /// What tokens are looked up in, [1 + N, D]: the start, then the items.
    [[nodiscard]] at::Tensor token_table(const at::Tensor& table) const {
        return at::cat({start, table}, 0);
    }

    /// States after each token, [B, T, D]. tokens: [1 + N, D], on the device of the parameters.
    [[nodiscard]] at::Tensor states(
        const at::Tensor& tokens, const TokenBatch& batch, const Dropout& drop = {}
    ) {
        const auto t = batch.longest;
        HG_CHECK(t <= shape.max_length, "sequences must be cut to max_length");
        const double scale = std::sqrt(static_cast<double>(shape.dim));
        auto x = at::embedding(tokens, batch.tokens.to(tokens.device())) * scale +
                 positions.slice(0, 0, t);
        x = drop(x);
        for (const auto& block : *blocks) {
            x = block->as<SequenceBlock>()->forward(x, drop);
        }
        return final_norm(x);
    }

    SequenceShape shape;
    at::Tensor items;       // [N, D]
    at::Tensor projection;  // [C, D], undefined without content
    at::Tensor start;       // [1, D]
    at::Tensor positions;   // [max_length, D]
    torch::nn::ModuleList blocks;
    torch::nn::LayerNorm final_norm{nullptr};
};

}  // namespace hg::train
