// SPDX-License-Identifier: Apache-2.0
// AnilNet: the body of anil (items and their biases), the head it starts every user from, and the
// gradient steps by which a few clicks adapt the head. Private to the models of this room.
#pragma once

#include "train/models/bag_net.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace hg::train {

struct AnilWeights {
    bool first_order = false;
    double scale = 1;  // of logits: 1, but where units are dropped
    at::Tensor items;  // E [n_items, dim]
    at::Tensor bias;   // c [n_items]
    at::Tensor start;  // w_0 [dim]
    at::Tensor rates;  // a [steps, dim], or [steps, 1]: the same for all

    /// w after the inner steps, [bags, dim], differentiable in all of the above (of second order, or
    /// of the first where the gradient of the support is taken as a constant). `at_start`: what
    /// expected(start) is, where it is known.
    [[nodiscard]] at::Tensor heads(const ItemBags& bags, const at::Tensor& at_start = {}) const {
        const auto n = static_cast<std::int64_t>(bags.offsets.size());
        if (rates.size(0) == 0) {
            return start.expand({n, -1});
        }
        const auto clicked = sum_bags(items, bags);  // [bags, dim]
        const auto totals = bags.totals();
        const auto weight = torch::tensor(at::ArrayRef<float>{totals}, at::kFloat).unsqueeze(1);
        auto head = start.unsqueeze(0);  // the first step begins at the same head for everybody
        for (std::int64_t step = 0; step < rates.size(0); ++step) {
            const auto mean = step == 0 && at_start.defined() ? at_start : expected(head);
            auto gradient = scale * (clicked - weight * mean);
            if (first_order) {
                gradient = gradient.detach();
            }
            head = head + rates[step] * gradient;
        }
        return head;
    }

    /// The mean item that these heads choose, [heads, dim].
    [[nodiscard]] at::Tensor expected(const at::Tensor& heads) const {
        return at::softmax(logits(heads), 1).mm(items);
    }

    /// [heads, n_items]
    [[nodiscard]] at::Tensor logits(const at::Tensor& heads) const {
        return at::addmm(bias, heads, items.t(), 1, scale);
    }

    /// The same with some of the coordinates alone; units: [n] of 0..dim-1.
    [[nodiscard]] AnilWeights some_units(const at::Tensor& units) const {
        const auto dim = static_cast<double>(start.size(0));
        return {
            .first_order = first_order,
            .scale = dim / static_cast<double>(units.numel()),
            .items = items.index_select(1, units),
            .bias = bias,
            .start = start.index_select(0, units),
            .rates = rates.size(1) == 1 ? rates : rates.index_select(1, units),
        };
    }
};

struct AnilNet final : BagNet {
    AnilNet(
        std::int64_t n, std::int64_t dim, std::int64_t steps, bool one_rate, bool first_order, double dropout
    )
        : weights{
              .first_order = first_order,
              .items = register_parameter("items", torch::empty({n, dim})),
              .bias = register_parameter("bias", torch::zeros({n})),
              .start = register_parameter("start", torch::zeros({dim})),
              .rates = register_parameter("rates", torch::ones({steps, one_rate ? 1 : dim})),
          },
          dropout_(dropout) {}

    void initialise(const at::Tensor& log_popularity) override {
        const at::NoGradGuard no_grad;
        weights.items.normal_(0, 1 / std::sqrt(static_cast<double>(weights.items.size(1))));
        weights.bias.copy_(log_popularity);
    }

    [[nodiscard]] at::Tensor state(const ItemBags& bags) const override {
        return weights.heads(bags);
    }

    [[nodiscard]] at::Tensor logits(const at::Tensor& states) const override {
        return weights.logits(states);
    }

    [[nodiscard]] at::Tensor item_table() const override {
        return at::cat({weights.items, weights.bias.unsqueeze(1)}, 1);
    }

    [[nodiscard]] at::Tensor training_logits(const ItemBags& bags, Rng& rng) const override {
        if (dropout_ <= 0) {
            return logits(state(bags));
        }
        const auto net = weights.some_units(draw_units(weights.items.size(1), dropout_, rng));
        return net.logits(net.heads(bags));
    }

    [[nodiscard]] std::size_t n_items() const override {
        return static_cast<std::size_t>(weights.items.size(0));
    }

    AnilWeights weights;  // handles of the parameters

  private:
    double dropout_;
};

}  // namespace hg::train
