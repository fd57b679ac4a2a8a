// SPDX-License-Identifier: Apache-2.0
// ContentProfile: a user as the mean of what the liked items are made of; shared by content_knn,
// vector_db.
//
// Items are unit vectors with one more column for popularity, users the normalised mean with the
// weight of popularity in that column, so that a score is one inner product and can live in a
// vector index.
#pragma once

#include "core/matrix.hpp"
#include "core/safetensors.hpp"
#include "data/history.hpp"
#include "encode/item_vectors.hpp"

#include <span>
#include <vector>

namespace hg::train {

class ContentProfile {
  public:
    struct Blend {
        float content = 1;     // weight of the cosine
        float popularity = 1;  // weight of the popularity column
        double half_life = 0;  // later events until an event counts half; 0 = never
    };

    /// popularity: [n_items], what the last column holds.
    ContentProfile(
        const encode::ItemVectors& content, std::span<const float> popularity, Blend blend
    );
    /// From a file written by save(). Throws Error when it does not fit.
    ContentProfile(const SafetensorsFile& weights, Blend blend);

    void save(SafetensorsWriter& weights) const;

    /// [n_items, d + 1].
    [[nodiscard]] MatrixView<const float> items() const { return items_.view(); }

    [[nodiscard]] std::size_t dim() const noexcept { return items_.cols() - 1; }

    /// out: [histories.size(), d + 1]. Liked items without content, and an empty history, add
    /// nothing.
    void users(std::span<const data::History> histories, MatrixView<float> out) const;
    /// content [n_new, d], not normalised; new items get the mean popularity of the known ones.
    void score_new(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const;
    /// With such items behind the known ones.
    [[nodiscard]] ContentProfile grown(MatrixView<const float> content) const;

  private:
    ContentProfile(Matrix<float> items, Blend blend) : items_(std::move(items)), blend_(blend) {}

    /// [n_new, d + 1]: unit rows, then the mean popularity of the known items.
    [[nodiscard]] Matrix<float> rows_of(MatrixView<const float> content) const;

    Matrix<float> items_;
    Blend blend_;
};

}  // namespace hg::train
