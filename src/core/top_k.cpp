// SPDX-License-Identifier: Apache-2.0
#include "core/top_k.hpp"

#include <algorithm>

namespace hg {

std::vector<Scored> top_k(std::span<const float> scores, std::size_t k) {
    const auto better = [](const Scored& a, const Scored& b) {
        return a.score > b.score || (a.score == b.score && a.index < b.index);
    };
    // A heap of the k best so far, worst on top: most items fail the one comparison with the worst.
    std::vector<Scored> best;
    if (k == 0) {
        return best;
    }
    best.reserve(std::min(k, scores.size()));
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const Scored candidate{static_cast<std::uint32_t>(i), scores[i]};
        if (!(candidate.score > masked_score)) {
            continue;
        }
        if (best.size() < k) {
            best.push_back(candidate);
            std::ranges::push_heap(best, better);
        } else if (better(candidate, best.front())) {
            std::ranges::pop_heap(best, better);
            best.back() = candidate;
            std::ranges::push_heap(best, better);
        }
    }
    std::ranges::sort_heap(best, better);
    return best;
}

void mask(std::span<float> scores, std::span<const ItemId> items) {
    for (const auto item : items) {
        if (item.index() < scores.size()) {
            scores[item.index()] = masked_score;
        }
    }
}

}  // namespace hg
