// SPDX-License-Identifier: Apache-2.0
#include "evaluate/rank.hpp"

#include "core/error.hpp"

namespace hg::evaluate {

double rank_of(std::span<const float> scores, std::size_t target) {
    HG_CHECK(target < scores.size(), "target out of range");
    const float wanted = scores[target];
    std::size_t greater = 0;
    std::size_t equal = 0;
    for (const float score : scores) {
        greater += score > wanted ? 1 : 0;
        equal += score == wanted ? 1 : 0;
    }
    return static_cast<double>(greater) + (static_cast<double>(equal) - 1.0) / 2.0;
}

}  // namespace hg::evaluate
