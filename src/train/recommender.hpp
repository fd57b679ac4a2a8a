// SPDX-License-Identifier: Apache-2.0
// Recommender: the one interface of every trained model: score histories against all items.
//
// Const-safe after fitting: many threads may score at once. Scores are comparable within a row
// only. Masking of items already seen and choosing the top k are the caller's (core/top_k.hpp).
//
//   Matrix<float> scores(histories.size(), model.n_items());
//   model.score(histories, scores.view());
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"
#include "data/history.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace hg::train {

class GaussianPrior;

class Recommender {
  public:
    Recommender() = default;
    Recommender(const Recommender&) = delete;
    Recommender& operator=(const Recommender&) = delete;
    Recommender(Recommender&&) = delete;
    Recommender& operator=(Recommender&&) = delete;
    virtual ~Recommender() = default;

    /// out: [histories.size(), n_items()], finite. An empty history gets the model's cold-start
    /// scores. Item ids in histories are rows of this model (< n_items()).
    virtual void score(std::span<const data::History> histories, MatrixView<float> out) const = 0;

    [[nodiscard]] virtual std::size_t n_items() const = 0;

    /// [n_items, d] when score = user_vectors . item_vectors', else nothing. Borrowed from the
    /// model. Without them there is no nearest-neighbour index.
    [[nodiscard]] virtual std::optional<MatrixView<const float>> item_vectors() const { return {}; }

    /// out: [histories.size(), d]. Only where item_vectors() is given.
    virtual void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const;

    /// Scores items that did not exist at fit time, from their content vectors: content [n_new, d]
    /// made by the encoder named in the run's manifest; out [histories.size(), n_new], on the scale
    /// of score(). False, with `out` untouched, where the model cannot (then the server takes the
    /// scores of items with like content, else the place by popularity: serve/scoring.hpp).
    [[nodiscard]] virtual bool score_new_items(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const;

    /// This model with items that came after the fit behind its own rows, known by content alone
    /// [n_new, d]: they are scored as by score_new_items(), and count in histories too. Null where
    /// the model cannot place them.
    [[nodiscard]] virtual std::unique_ptr<Recommender> grown(MatrixView<const float> content) const;

    /// The space and prior of this model's user beliefs, for updates between fits; null where it
    /// has none. Borrowed from the model.
    [[nodiscard]] virtual const GaussianPrior* belief_prior() const { return nullptr; }

    /// Adds the weights; the model's load() reads the same names. Hyper-parameters are in the
    /// manifest.
    virtual void save(SafetensorsWriter& weights) const = 0;
};

}  // namespace hg::train
