// SPDX-License-Identifier: Apache-2.0
// BagNet: from a bag of items to a logit per item: what dae and anil are to their training
// (bag_training_net.hpp). Private to the models of this room.
#pragma once

#include "core/ids.hpp"
#include "core/rng.hpp"
#include "data/history.hpp"
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

/// The distinct positive items of a history, oldest first.
[[nodiscard]] std::vector<ItemId> positives(const data::History& history);

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
    /// Weights to start from, drawn from torch's generator, which the caller seeds; an empty bag is right from
    /// the first step: items by their log popularity [n_items].
    virtual void initialise(const at::Tensor& log_popularity) = 0;

    /// What the net makes of a bag, [bags, dim].
    [[nodiscard]] virtual at::Tensor state(const ItemBags& bags) const = 0;

    /// [bags, n_items], of states.
    [[nodiscard]] virtual at::Tensor logits(const at::Tensor& states) const = 0;

    /// Of bags, as they are trained: with dropout.
    [[nodiscard]] virtual at::Tensor training_logits(const ItemBags& bags, Rng& rng) const = 0;

    /// Vectors of the items with their biases as the last column, [n_items, dim + 1]: logits are their products
    /// with (state, 1).
    [[nodiscard]] virtual at::Tensor item_table() const = 0;

    [[nodiscard]] virtual std::size_t n_items() const = 0;
};

}  // namespace hg::train
