// SPDX-License-Identifier: Apache-2.0
// ModelScores: what the served model gives its items under some histories.
//
// Where the model is a product of vectors, a user's vector is kept and rows are scored when asked
// for; else there is a whole row of scores per history. What the server wants of scores is the same
// for both: the best, one of them, and the one at a place in their order.
#pragma once

#include "core/matrix.hpp"
#include "core/top_k.hpp"
#include "data/history.hpp"
#include "policy/belief.hpp"
#include "serve/snapshot.hpp"
#include "serve/vector_table.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace hg::serve {

enum class ScoreForm : std::uint8_t { cheapest, whole_rows };

/// Not thread-safe.
class ModelScores {
  public:
    /// Runs the model once. `belief`: of the one history, where the session holds it; may be null.
    /// The references outlive it.
    ModelScores(
        const Snapshot& snapshot,
        std::span<const data::History> histories,
        const policy::Belief* belief = nullptr,
        ScoreForm form = ScoreForm::cheapest
    );

    [[nodiscard]] float of(std::size_t history, std::uint32_t row) const;

    /// The score with `n_below` items of the model below it; of big catalogues, among an even sample
    /// of 4,096 items.
    [[nodiscard]] float at_place(std::size_t history, std::size_t n_below);

    /// Rows of the model for the first history, at most `k`, best first. Those of an index's
    /// proposals where there is one and no filter.
    [[nodiscard]] std::vector<Scored> best(std::size_t k, const RowFilter& filter) const;

    /// Whether best() may leave out one that is better than another it gives.
    [[nodiscard]] bool is_guess(const RowFilter& filter) const;

    /// Of ScoreForm::whole_rows.
    [[nodiscard]] MatrixView<float> whole_rows() { return rows_.view(); }

  private:
    [[nodiscard]] std::vector<float> sorted_sample(std::size_t history) const;

    const Snapshot& snapshot_;
    Matrix<float> rows_;                       // [histories, n_items], or
    Matrix<float> users_;                      // [histories, d]
    std::vector<std::vector<float>> samples_;  // ascending, made when asked for
};

}  // namespace hg::serve
