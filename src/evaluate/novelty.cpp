// SPDX-License-Identifier: Apache-2.0
#include "evaluate/novelty.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hg::evaluate {
namespace {

/// Mean over users of the mean of value(item) over the first k items.
template <typename F>
double mean_of_lists(std::span<const ItemList> lists, std::size_t k, F&& value) {
    double sum = 0;
    std::size_t n = 0;
    for (const auto& list : lists) {
        const auto length = std::min(k, list.size());
        if (length == 0) {
            continue;
        }
        double list_sum = 0;
        for (std::size_t i = 0; i < length; ++i) {
            list_sum += value(list[i].index());
        }
        sum += list_sum / static_cast<double>(length);
        ++n;
    }
    return n > 0 ? sum / static_cast<double>(n) : 0;
}

}  // namespace

double self_information_bits(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint64_t> popularity
) {
    const auto events = std::accumulate(popularity.begin(), popularity.end(), std::uint64_t{0});
    const auto total = static_cast<double>(events + popularity.size());
    return mean_of_lists(lists, k, [&](std::size_t item) {
        return -std::log2((static_cast<double>(popularity[item]) + 1) / total);
    });
}

double mean_inverse_user_frequency(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const std::uint64_t> users_of_item,
    std::size_t n_users
) {
    return mean_of_lists(lists, k, [&](std::size_t item) {
        const auto users = std::max<std::uint64_t>(1, users_of_item[item]);
        return -std::log2(static_cast<double>(users) / static_cast<double>(n_users));
    });
}

double average_popularity(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint64_t> popularity
) {
    return mean_of_lists(lists, k, [&](std::size_t item) {
        return static_cast<double>(popularity[item]);
    });
}

double popularity_lift(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const ItemList> histories,
    std::span<const std::uint64_t> popularity
) {
    const double shown = average_popularity(lists, k, popularity);
    const double own =
        average_popularity(histories, std::numeric_limits<std::size_t>::max(), popularity);
    return own > 0 ? (shown - own) / own : 0;
}

std::vector<std::uint8_t> head_items(std::span<const std::uint64_t> popularity, double share) {
    std::vector<std::size_t> order(popularity.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return popularity[a] > popularity[b];
    });
    const auto n_head =
        static_cast<std::size_t>(std::llround(share * static_cast<double>(order.size())));
    std::vector<std::uint8_t> is_head(popularity.size());
    for (std::size_t i = 0; i < std::min(n_head, order.size()); ++i) {
        is_head[order[i]] = 1;
    }
    return is_head;
}

double head_share(
    std::span<const ItemList> lists, std::size_t k, std::span<const std::uint8_t> is_head
) {
    return mean_of_lists(lists, k, [&](std::size_t item) {
        return static_cast<double>(is_head[item]);
    });
}

}  // namespace hg::evaluate
