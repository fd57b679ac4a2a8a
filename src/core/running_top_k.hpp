// SPDX-License-Identifier: Apache-2.0
// RunningTopK: the best k of scores that come block by block, so that no row of them all is kept.
//
// Ties go to the lower index, whatever the order of adding. Masked (-infinity) and NaN scores are
// left out. A heap with the worst on top: most scores fail the one comparison with it.
//
//   RunningTopK best{512};
//   for (block of rows) best.add(first_row, scores_of(block));
//   for (auto [index, score] : std::move(best).take()) ...
#pragma once

#include "core/top_k.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace hg {

class RunningTopK {
  public:
    explicit RunningTopK(std::size_t k) : k_(k) {}

    /// O(1) for a score that is not among the best, O(log k) for one that is.
    void add(Scored candidate) {
        if (!is_among_best(candidate)) {
            return;
        }
        if (best_.size() == k_) {
            std::ranges::pop_heap(best_, better);
            best_.back() = candidate;
        } else {
            best_.push_back(candidate);
        }
        std::ranges::push_heap(best_, better);
    }

    /// The scores of rows first, first + 1, ...
    void add(std::uint32_t first, std::span<const float> scores) {
        for (std::size_t i = 0; i < scores.size(); ++i) {
            add(Scored{first + static_cast<std::uint32_t>(i), scores[i]});
        }
    }

    /// As things are; later ones may still push it out.
    [[nodiscard]] bool is_among_best(Scored candidate) const {
        return best_.size() < k_ ? candidate.score > masked_score
                                 : k_ > 0 && better(candidate, best_.front());
    }

    /// Scores below it are not among the best; masked_score while there are fewer than k.
    [[nodiscard]] float threshold() const {
        return best_.size() < k_ || k_ == 0 ? masked_score : best_.front().score;
    }

    /// Best first.
    [[nodiscard]] std::vector<Scored> take() && {
        std::ranges::sort_heap(best_, better);
        return std::move(best_);
    }

  private:
    static bool better(const Scored& a, const Scored& b) {
        return a.score > b.score || (a.score == b.score && a.index < b.index);
    }

    std::size_t k_;
    std::vector<Scored> best_;
};

}  // namespace hg
