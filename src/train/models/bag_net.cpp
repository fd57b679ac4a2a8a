// SPDX-License-Identifier: Apache-2.0
#include "train/models/bag_net.hpp"

#include <torch/utils.h>

#include <numeric>
#include <span>
#include <unordered_set>

namespace hg::train {

std::vector<float> ItemBags::totals() const {
    std::vector<float> sums;
    for (std::size_t bag = 0; bag < offsets.size(); ++bag) {
        const auto end = bag + 1 < offsets.size() ? offsets[bag + 1] : std::ssize(items);
        sums.push_back(std::sqrt(static_cast<float>(end - offsets[bag])));
    }
    return sums;
}

std::vector<ItemId> positives(const data::History& history) {
    std::vector<ItemId> items;
    std::unordered_set<ItemId> seen;
    for (std::size_t i = 0; i < history.size(); ++i) {
        if (history.weight(i) > 0 && seen.insert(history.items[i]).second) {
            items.push_back(history.items[i]);
        }
    }
    return items;
}

at::Tensor sum_bags(const at::Tensor& table, const ItemBags& bags) {
    const auto weights = torch::tensor(at::ArrayRef<float>{bags.weights}, at::kFloat);
    constexpr std::int64_t sum = 0;
    return std::get<0>(at::embedding_bag(
        table,
        encode::index_tensor(bags.items),
        encode::index_tensor(bags.offsets),
        /*scale_grad_by_freq=*/false,
        sum,
        /*sparse=*/false,
        weights
    ));
}

at::Tensor draw_units(std::int64_t dim, double dropped_share, Rng& rng) {
    std::vector<std::int64_t> units(static_cast<std::size_t>(dim));
    std::iota(units.begin(), units.end(), 0);
    rng.shuffle(std::span{units});
    const auto kept = std::llround(static_cast<double>(dim) * (1 - dropped_share));
    units.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, kept)));
    std::ranges::sort(units);
    return encode::index_tensor(units);
}

}  // namespace hg::train
