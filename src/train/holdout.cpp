// SPDX-License-Identifier: Apache-2.0
#include "train/holdout.hpp"

#include "core/top_k.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::train {
namespace {

constexpr std::size_t cutoff = 10;

double gain(std::size_t rank) {
    return 1.0 / std::log2(static_cast<double>(rank) + 2.0);
}

double ndcg(std::span<float> scores, const Query& query) {
    mask(scores, query.context);
    double found = 0;
    const auto best = top_k(scores, cutoff);
    for (std::size_t rank = 0; rank < best.size(); ++rank) {
        if (std::ranges::count(query.targets, ItemId{best[rank].index}) > 0) {
            found += gain(rank);
        }
    }
    double ideal = 0;
    for (std::size_t rank = 0; rank < std::min(cutoff, query.targets.size()); ++rank) {
        ideal += gain(rank);
    }
    return found / ideal;
}

}  // namespace

double mean_ndcg(std::span<const Query> queries, std::size_t n_items, const ScoreQueries& score) {
    constexpr std::size_t chunk = 256;
    double sum = 0;
    std::size_t counted = 0;
    Matrix<float> scores(std::min(chunk, queries.size()), n_items);
    for (std::size_t first = 0; first < queries.size(); first += chunk) {
        const auto part = queries.subspan(first, std::min(chunk, queries.size() - first));
        const auto view = scores.view().rows_slice(0, part.size());
        score(part, view);
        for (std::size_t row = 0; row < part.size(); ++row) {
            if (part[row].targets.empty()) {
                continue;
            }
            sum += ndcg(view.row(row), part[row]);
            ++counted;
        }
    }
    return counted == 0 ? 0 : sum / static_cast<double>(counted);
}

std::vector<bool> choose(std::size_t n, std::size_t count, Rng rng) {
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    rng.shuffle(std::span{order});
    std::vector<bool> chosen(n, false);
    for (std::size_t i = 0; i < std::min(n, count); ++i) {
        chosen[order[i]] = true;
    }
    return chosen;
}

}  // namespace hg::train
