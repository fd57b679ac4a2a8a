// SPDX-License-Identifier: Apache-2.0
// BagNet: from a bag of items to a logit per item: what dae and anil are to their training
// (bag_training_net.hpp). Private to the models of this room.
#pragma once

#include "core/ids.hpp"
#include "core/rng.hpp"
#include "encode/tensor_io.hpp"

#include <torch/nn/module.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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

    /// The sum of each bag's weights.
    [[nodiscard]] std::vector<float> totals() const;
};

/// The weighted sums of the rows of a table [n_items, d], one of each bag: [bags, d].
[[nodiscard]] at::Tensor sum_bags(const at::Tensor& table, const ItemBags& bags);

/// The units of 0..dim-1 that a step keeps, ascending: at least one.
[[nodiscard]] at::Tensor draw_units(std::int64_t dim, double dropped_share, Rng& rng);

struct BagNet : torch::nn::Module {
    /// [bags, n_items]
    [[nodiscard]] virtual at::Tensor logits(const ItemBags& bags) const = 0;

    /// The same as it is trained: with dropout.
    [[nodiscard]] virtual at::Tensor training_logits(const ItemBags& bags, Rng& rng) const = 0;

    [[nodiscard]] virtual std::size_t n_items() const = 0;
};

}  // namespace hg::train
