// SPDX-License-Identifier: Apache-2.0
// DaeNet: a bag of items -> one hidden layer -> a logit per item. Private to the models of this
// room.
//
//   hidden = act(sum_i x_i W_i + b),  x_i = 1 / sqrt(items in the bag);  logits = hidden D' + c
#pragma once

#include "core/ids.hpp"
#include "encode/tensor_io.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

namespace hg::train {

/// 1 / sqrt(n): the sum keeps its scale whether there are 2 items or 200.
[[nodiscard]] inline float bag_weight(std::size_t n) noexcept {
    return 1.0F / std::sqrt(static_cast<float>(std::max<std::size_t>(1, n)));
}

/// Several bags of items as embedding_bag takes them: all items, and where each bag starts.
struct ItemBags {
    std::vector<std::int64_t> items;
    std::vector<std::int64_t> offsets;
    std::vector<float> weights;  // beside items

    /// One more bag.
    template <typename Range>
    void add(const Range& bag) {
        offsets.push_back(static_cast<std::int64_t>(items.size()));
        const auto weight = bag_weight(bag.size());
        for (const ItemId item : bag) {
            items.push_back(static_cast<std::int64_t>(item.value));
            weights.push_back(weight);
        }
    }
};

struct DaeWeights {
    bool relu = false;
    at::Tensor encoder;       // [n_items, dim]
    at::Tensor encoder_bias;  // [dim]
    at::Tensor decoder;       // [n_items, dim]
    at::Tensor decoder_bias;  // [n_items]

    /// [bags, dim]
    [[nodiscard]] at::Tensor hidden(const ItemBags& bags) const {
        const auto items = encode::index_tensor(bags.items);
        const auto offsets = encode::index_tensor(bags.offsets);
        const auto weights = torch::tensor(at::ArrayRef<float>{bags.weights}, at::kFloat);
        constexpr std::int64_t sum = 0;
        const auto sums = std::get<0>(at::embedding_bag(
            encoder, items, offsets, /*scale_grad_by_freq=*/false, sum, /*sparse=*/false, weights
        ));
        const auto input = sums + encoder_bias;
        return relu ? input.relu() : input.tanh();
    }

    /// [bags, n_items]
    [[nodiscard]] at::Tensor logits(const at::Tensor& hidden) const {
        return at::addmm(decoder_bias, hidden, decoder.t());
    }

    /// The net of some of the hidden units, differentiable; units: [n] of 0..dim-1.
    [[nodiscard]] DaeWeights some_units(const at::Tensor& units) const {
        return {
            .relu = relu,
            .encoder = encoder.index_select(1, units),
            .encoder_bias = encoder_bias.index_select(0, units),
            .decoder = decoder.index_select(1, units),
            .decoder_bias = decoder_bias,
        };
    }
};

struct DaeNet : torch::nn::Module {
    DaeNet(std::int64_t n_items, std::int64_t dim, bool use_relu)
        : weights{
              .relu = use_relu,
              .encoder = register_parameter("encoder", torch::empty({n_items, dim})),
              .encoder_bias = register_parameter("encoder_bias", torch::zeros({dim})),
              .decoder = register_parameter("decoder", torch::empty({n_items, dim})),
              .decoder_bias = register_parameter("decoder_bias", torch::zeros({n_items})),
          } {}

    /// Normal weights from torch's generator, which the caller seeds; the decoder starts at the
    /// items' log popularity, so that an empty bag is right from the first step and training learns
    /// the differences.
    void initialise(const at::Tensor& log_popularity) {
        const at::NoGradGuard no_grad;
        const double scale = 1 / std::sqrt(static_cast<double>(weights.encoder.size(1)));
        weights.encoder.normal_(0, scale);
        weights.decoder.normal_(0, scale);
        weights.encoder_bias.zero_();
        weights.decoder_bias.copy_(log_popularity);
    }

    DaeWeights weights;  // handles of the parameters
};

}  // namespace hg::train
