// SPDX-License-Identifier: Apache-2.0
#include "train/kept_items.hpp"

#include "train/sparse.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace hg::train {

std::vector<std::uint32_t> most_popular(const std::vector<float>& counts, std::int64_t most) {
    std::vector<std::uint32_t> items(counts.size());
    std::iota(items.begin(), items.end(), 0U);
    if (most > 0 && std::cmp_less(most, items.size())) {
        std::ranges::stable_sort(items, std::greater{}, [&](auto item) { return counts[item]; });
        items.resize(static_cast<std::size_t>(most));
        std::ranges::sort(items);
    }
    return items;
}

KeptItems::KeptItems(std::vector<std::uint32_t> items, std::size_t n_items)
    : items_(std::move(items)), places_(n_items, absent) {
    for (std::uint32_t place = 0; place < items_.size(); ++place) {
        places_[items_[place]] = place;
    }
}

void KeptItems::add_rows(
    const data::History& history, MatrixView<const float> rows, std::span<float> scores
) const {
    std::vector<float> sums(items_.size());
    for (const auto item : positive_items(history).items) {
        if (const auto at = place(item)) {
            const auto row = rows.row(*at);
            for (std::size_t i = 0; i < sums.size(); ++i) {
                sums[i] += row[i];
            }
        }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
        scores[items_[i]] += sums[i];
    }
}

}  // namespace hg::train
