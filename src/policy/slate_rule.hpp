// SPDX-License-Identifier: Apache-2.0
// SlateRule: how a row of scores becomes a slate with an exact probability, slot after slot.
//
// Each slot is drawn from the candidates not shown above it: with probability epsilon uniformly,
// else by one of
//   greedy        the best score;
//   softmax       p ~ exp(score / temperature): Plackett-Luce (Plackett, 1975; Luce, 1959);
//   inverse_gap   p(a) = 1 / (n + gamma (best - score(a))) for all but the best, which has the rest
//                 (SquareCB: Foster and Rakhlin, 2020, over the candidates left).
// What is logged as propensity is P(item | slots above, candidates), the very number drawn with.
//
//   SlateDrawer drawer{{.draw = SlateDraw::softmax, .temperature = 0.5}};
//   drawer.draw(scores, rng, slots, propensities);      // no allocation after the first call
#pragma once

#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::policy {

enum class SlateDraw : std::uint8_t { greedy, softmax, inverse_gap };

struct SlateRule {
    SlateDraw draw = SlateDraw::softmax;
    double temperature = 1;
    double epsilon = 0;
    double gamma = 1;
};

/// Single-threaded: keeps its working memory.
class SlateDrawer {
  public:
    explicit SlateDrawer(const SlateRule& rule) : rule_(rule) {}

    [[nodiscard]] const SlateRule& rule() const noexcept { return rule_; }

    void set_rule(const SlateRule& rule) noexcept { rule_ = rule; }

    /// Fills slots (distinct indices of scores) and the factor of each; slots.size() <= scores.
    void draw(
        std::span<const float> scores,
        Rng& rng,
        std::span<std::uint32_t> slots,
        std::span<double> propensities
    );

    /// The factors draw() would have logged for these slots.
    void propensities(
        std::span<const float> scores, std::span<const std::uint32_t> slots, std::span<double> out
    );

  private:
    void start(std::span<const float> scores);
    /// The distribution of the next slot into share_.
    void refresh(std::span<const float> scores);
    void share_greedy(std::size_t best);
    void share_softmax(std::span<const float> scores, std::size_t best);
    void share_inverse_gap(std::span<const float> scores, std::size_t best);
    [[nodiscard]] std::size_t pick(Rng& rng) const;

    SlateRule rule_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> share_;
    std::size_t n_left_ = 0;
};

}  // namespace hg::policy
