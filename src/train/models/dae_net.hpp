// SPDX-License-Identifier: Apache-2.0
// DaeNet: a bag of items -> one hidden layer -> a logit per item. Private to the models of this
// room.
//
//   hidden = act(sum_i x_i W_i + b),  x_i = 1 / sqrt(items in the bag);  logits = hidden D' + c
#pragma once

#include "train/dropout.hpp"
#include "train/models/bag_net.hpp"
#include "train/models/dae_model.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hg::train {

struct DaeWeights {
    bool relu = false;
    at::Tensor encoder;       // [n_items, dim]
    at::Tensor encoder_bias;  // [dim]
    at::Tensor decoder;       // [n_items, dim]
    at::Tensor decoder_bias;  // [n_items]

    /// [bags, dim]
    [[nodiscard]] at::Tensor hidden(const ItemBags& bags) const {
        const auto input = sum_bags(encoder, bags) + encoder_bias;
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

struct DaeNet final : BagNet {
    DaeNet(std::int64_t n, const DaeOptions& options)
        : weights{
              .relu = options.activation == "relu",
              .encoder = register_parameter("encoder", torch::empty({n, options.dim})),
              .encoder_bias = register_parameter("encoder_bias", torch::zeros({options.dim})),
              .decoder = register_parameter("decoder", torch::empty({n, options.dim})),
              .decoder_bias = register_parameter("decoder_bias", torch::zeros({n})),
          },
          dropout_(options.dropout),
          is_dropped_per_step_(options.dropout_per == "step" && options.dropout > 0) {}

    void initialise(const at::Tensor& log_popularity) override {
        const at::NoGradGuard no_grad;
        const double scale = 1 / std::sqrt(static_cast<double>(weights.encoder.size(1)));
        weights.encoder.normal_(0, scale);
        weights.decoder.normal_(0, scale);
        weights.encoder_bias.zero_();
        weights.decoder_bias.copy_(log_popularity);
    }

    [[nodiscard]] at::Tensor state(const ItemBags& bags) const override {
        return weights.hidden(bags);
    }

    [[nodiscard]] at::Tensor logits(const at::Tensor& states) const override {
        return weights.logits(states);
    }

    [[nodiscard]] at::Tensor item_table() const override {
        return at::cat({weights.decoder, weights.decoder_bias.unsqueeze(1)}, 1);
    }

    /// Units dropped per step cost nothing in that step.
    [[nodiscard]] at::Tensor training_logits(const ItemBags& bags, Rng& rng) const override {
        if (!is_dropped_per_step_) {
            return weights.logits(Dropout{dropout_, rng}(weights.hidden(bags)));
        }
        const auto dim = weights.encoder.size(1);
        const auto units = draw_units(dim, dropout_, rng);
        const auto net = weights.some_units(units);
        const auto scale = static_cast<double>(dim) / static_cast<double>(units.numel());
        return net.logits(net.hidden(bags) * scale);
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(weights.decoder.size(0));
    }

    DaeWeights weights;  // handles of the parameters

  private:
    double dropout_;
    bool is_dropped_per_step_;
};

}  // namespace hg::train
