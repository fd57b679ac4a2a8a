// SPDX-License-Identifier: Apache-2.0
#include "core/top_k.hpp"

#include "core/running_top_k.hpp"

#include <utility>

namespace hg {

std::vector<Scored> top_k(std::span<const float> scores, std::size_t k) {
    RunningTopK best{k};
    best.add(0, scores);
    return std::move(best).take();
}

void mask(std::span<float> scores, std::span<const ItemId> items) {
    for (const auto item : items) {
        if (item.index() < scores.size()) {
            scores[item.index()] = masked_score;
        }
    }
}

}  // namespace hg
