// SPDX-License-Identifier: Apache-2.0
#include "evaluate/calibration.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::evaluate {
namespace {

bool is_empty(std::span<const double> distribution) {
    return std::accumulate(distribution.begin(), distribution.end(), 0.0) <= 0;
}

std::span<const ItemId> head(const ItemList& list, std::size_t k) {
    return std::span{list}.first(std::min(k, list.size()));
}

/// [n_groups], sums to 1, or all 0 when no item has a group.
std::vector<double> group_distribution(
    std::span<const ItemId> items, const ItemGroups& groups, RankWeight weight = RankWeight::uniform
) {
    std::vector<double> shares(groups.n_groups);
    double total = 0;
    for (std::size_t rank = 0; rank < items.size(); ++rank) {
        const auto codes = groups.of(items[rank]);
        if (codes.empty()) {
            continue;
        }
        const double w =
            weight == RankWeight::uniform ? 1.0 : 1.0 / std::log2(static_cast<double>(rank) + 2);
        total += w;
        for (const auto code : codes) {
            shares.at(code) += w / static_cast<double>(codes.size());
        }
    }
    for (auto& share : shares) {
        share = total > 0 ? share / total : 0;
    }
    return shares;
}

/// Mean over users with both distributions of divergence(p, q).
template <typename F>
double mean_divergence(
    std::span<const ItemList> histories,
    std::span<const ItemList> lists,
    std::size_t k,
    const ItemGroups& groups,
    RankWeight weight,
    F&& divergence
) {
    HG_CHECK(lists.size() == histories.size(), "one history per list");
    double sum = 0;
    double n = 0;
    for (std::size_t user = 0; user < lists.size(); ++user) {
        const auto p = group_distribution(histories[user], groups);
        const auto q = group_distribution(head(lists[user], k), groups, weight);
        if (is_empty(p) || is_empty(q)) {
            continue;
        }
        sum += divergence(p, q);
        n += 1;
    }
    return n > 0 ? sum / n : 0;
}

}  // namespace

double kl_nats(std::span<const double> p, std::span<const double> q, double smoothing) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        if (p[i] <= 0) {
            continue;
        }
        sum += p[i] * std::log(p[i] / ((1 - smoothing) * q[i] + smoothing * p[i]));
    }
    return std::max(0.0, sum);
}

double js_bits(std::span<const double> p, std::span<const double> q) {
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double middle = (p[i] + q[i]) / 2;
        if (p[i] > 0) {
            sum += p[i] * std::log2(p[i] / middle) / 2;
        }
        if (q[i] > 0) {
            sum += q[i] * std::log2(q[i] / middle) / 2;
        }
    }
    return std::max(0.0, sum);
}

double calibration_kl_nats(
    std::span<const ItemList> histories,
    std::span<const ItemList> lists,
    std::size_t k,
    const ItemGroups& groups,
    RankWeight weight
) {
    return mean_divergence(
        histories,
        lists,
        k,
        groups,
        weight,
        [](std::span<const double> p, std::span<const double> q) { return kl_nats(p, q); }
    );
}

double calibration_js_bits(
    std::span<const ItemList> histories,
    std::span<const ItemList> lists,
    std::size_t k,
    const ItemGroups& groups
) {
    return mean_divergence(histories, lists, k, groups, RankWeight::uniform, js_bits);
}

double group_entropy_nats(
    std::span<const ItemList> lists, std::size_t k, const ItemGroups& groups
) {
    double sum = 0;
    double n = 0;
    for (const auto& list : lists) {
        const auto shares = group_distribution(head(list, k), groups);
        if (is_empty(shares)) {
            continue;
        }
        for (const double share : shares) {
            sum -= share > 0 ? share * std::log(share) : 0;
        }
        n += 1;
    }
    return n > 0 ? sum / n : 0;
}

}  // namespace hg::evaluate
