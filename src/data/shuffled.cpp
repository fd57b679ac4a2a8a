// SPDX-License-Identifier: Apache-2.0
#include "data/shuffled.hpp"

#include <numeric>
#include <span>
#include <vector>

namespace hg::data {

HistoryBuffer shuffled(const History& history, Rng& rng) {
    std::vector<std::size_t> order(history.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    rng.shuffle(std::span{order});
    HistoryBuffer buffer;
    for (const auto i : order) {
        buffer.add({
            .item = history.items[i],
            .weight = history.weight(i),
            .type = history.types.empty() ? EventTypeId{} : history.types[i],
            .value = history.values.empty() ? 0.0F : history.values[i],
        });
    }
    return buffer;
}

}  // namespace hg::data
