// SPDX-License-Identifier: Apache-2.0
// Blend: several rankers as one, weighted by how much we know of the user. The deployed model.
//
// score = sum over parts of w[part, history length] * z(part's scores), z = z-score over the items
// the user has not touched. Weights are fitted at the knots {0, 1, 2, 5, 10, 20} events on users
// held out from the parts' training, and interpolated in log2(1 + length) between them; the same
// weights serve offline and online. Const-safe.
//
// The server keeps the belief apart from the other rankers, because it changes with every event:
//   blend.score_rankers(histories, out);                       // everything but the belief: cached
//   blend.add_belief(history, belief_scores, out.row(0));      // per request
#pragma once

#include "train/gaussian_prior.hpp"
#include "train/recommender.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::train {

class Blend final : public Recommender {
  public:
    static constexpr std::array<std::size_t, 6> knots{0, 1, 2, 5, 10, 20};

    struct Part {
        std::string name;  // of its ModelEntry
        std::shared_ptr<const Recommender> model;
    };

    /// weights: [knots.size(), parts.size()], >= 0. All parts know the same first items; z-scores
    /// are over these. Items behind them are scored by the parts that know them, with the weight of all.
    Blend(std::vector<Part> parts, Matrix<float> weights);

    void score(std::span<const data::History> histories, MatrixView<float> out) const override;

    [[nodiscard]] std::size_t n_items() const override;
    [[nodiscard]] bool score_new_items(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const override;
    /// Parts that cannot place the new items stay as they are and say nothing of them. Null where
    /// no part can.
    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override;
    [[nodiscard]] const GaussianPrior* belief_prior() const override;
    void save(SafetensorsWriter& weights) const override;

    /// As score(), leaving out the part that is the belief.
    void score_rankers(std::span<const data::History> histories, MatrixView<float> out) const;
    /// Adds the belief's share: out += w * z(belief_scores), these of all items the belief knows.
    void add_belief(
        const data::History& history, std::span<const float> belief_scores, std::span<float> out
    ) const;

    /// The weight of a part after that many events.
    [[nodiscard]] float weight(std::size_t part, std::size_t n_events) const;

    /// Whether add_belief() changes anything after that many events.
    [[nodiscard]] bool uses_belief(std::size_t n_events) const;

    [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }

  private:
    /// The weight of a part for items that not all parts can place: those that can share the weight of all, so
    /// that such an item is ranked by them on the scale of the others, also where they count little or nothing
    /// for items that everybody knows.
    [[nodiscard]] float new_item_weight(
        std::size_t part, const std::vector<bool>& can_place, std::size_t n_events
    ) const;
    void add_part(std::size_t part, std::span<const data::History> histories, MatrixView<float> out)
        const;
    /// Adds what that part's scores of all its items are worth.
    void add_scores(
        std::size_t part,
        const data::History& history,
        std::span<const float> scores,
        std::span<float> out
    ) const;

    std::vector<Part> parts_;
    Matrix<float> weights_;
    std::size_t n_items_ = 0;         // most of a part
    std::size_t n_standardised_ = 0;  // least of a part
    std::size_t belief_part_;         // parts_.size() when there is none
    std::vector<bool> can_place_;     // beside parts_: knows items behind n_standardised_
};

/// In place: (x - mean) / sd over the entries not in `seen`; all zeros when they are equal.
void standardise(std::span<float> scores, std::span<const ItemId> seen);

}  // namespace hg::train
