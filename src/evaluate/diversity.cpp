// SPDX-License-Identifier: Apache-2.0
#include "evaluate/diversity.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::evaluate {
namespace {

double cosine_distance(MatrixView<const float> vectors, ItemId a, ItemId b) {
    const auto x = vectors.row(a.index());
    const auto y = vectors.row(b.index());
    double dot = 0;
    double xx = 0;
    double yy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double xi = x[i];
        const double yi = y[i];
        dot += xi * yi;
        xx += xi * xi;
        yy += yi * yi;
    }
    return xx > 0 && yy > 0 ? 1 - dot / std::sqrt(xx * yy) : 1;
}

double hamming(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b) {
    const auto in = [](std::span<const std::uint32_t> codes, std::uint32_t code) {
        return std::ranges::find(codes, code) != codes.end();
    };
    const auto only_a = std::ranges::count_if(a, [&](std::uint32_t code) { return !in(b, code); });
    const auto only_b = std::ranges::count_if(b, [&](std::uint32_t code) { return !in(a, code); });
    return static_cast<double>(only_a + only_b);
}

/// Mean over users of the mean over the pairs i < j of distance(i, j).
template <typename F>
double mean_over_pairs(std::span<const ItemList> lists, std::size_t k, F&& distance) {
    double sum = 0;
    double n = 0;
    for (const auto& list : lists) {
        const auto length = std::min(k, list.size());
        if (length < 2) {
            continue;
        }
        double list_sum = 0;
        for (std::size_t i = 0; i < length; ++i) {
            for (std::size_t j = i + 1; j < length; ++j) {
                list_sum += distance(list[i], list[j]);
            }
        }
        sum += list_sum / (static_cast<double>(length) * static_cast<double>(length - 1) / 2);
        n += 1;
    }
    return n > 0 ? sum / n : 0;
}

}  // namespace

std::span<const std::uint32_t> ItemGroups::of(ItemId item) const {
    HG_CHECK(item.index() + 1 < offsets.size(), "an item without a row of groups");
    const auto begin = static_cast<std::size_t>(offsets[item.index()]);
    const auto end = static_cast<std::size_t>(offsets[item.index() + 1]);
    return codes.subspan(begin, end - begin);
}

double intra_list_diversity(
    std::span<const ItemList> lists, std::size_t k, MatrixView<const float> vectors
) {
    return mean_over_pairs(lists, k, [&](ItemId a, ItemId b) {
        return cosine_distance(vectors, a, b);
    });
}

double intra_list_diversity(
    std::span<const ItemList> lists, std::size_t k, const ItemGroups& groups
) {
    return mean_over_pairs(lists, k, [&](ItemId a, ItemId b) {
        return hamming(groups.of(a), groups.of(b));
    });
}

double unexpectedness(
    std::span<const ItemList> lists,
    std::size_t k,
    std::span<const ItemList> histories,
    MatrixView<const float> vectors
) {
    HG_CHECK(lists.size() == histories.size(), "one history per list");
    double sum = 0;
    double n = 0;
    for (std::size_t user = 0; user < lists.size(); ++user) {
        const auto length = std::min(k, lists[user].size());
        if (length == 0 || histories[user].empty()) {
            continue;
        }
        double user_sum = 0;
        for (std::size_t i = 0; i < length; ++i) {
            for (const auto known : histories[user]) {
                user_sum += cosine_distance(vectors, lists[user][i], known);
            }
        }
        sum += user_sum / static_cast<double>(length * histories[user].size());
        n += 1;
    }
    return n > 0 ? sum / n : 0;
}

}  // namespace hg::evaluate
