// SPDX-License-Identifier: Apache-2.0
// ContentRecommender: a ContentProfile as a Recommender; content_knn and vector_db differ in the
// blend.
#pragma once

#include "train/content_profile.hpp"
#include "train/recommender.hpp"

namespace hg::train {

class ContentRecommender final : public Recommender {
  public:
    explicit ContentRecommender(ContentProfile profile) : profile_(std::move(profile)) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override;

    [[nodiscard]] std::size_t n_items() const override { return profile_.items().rows(); }

    [[nodiscard]] std::optional<MatrixView<const float>> item_vectors() const override {
        return profile_.items();
    }

    void user_vectors(std::span<const data::History> histories, MatrixView<float> out)
        const override {
        profile_.users(histories, out);
    }

    [[nodiscard]] bool score_new_items(
        std::span<const data::History> histories,
        MatrixView<const float> content,
        MatrixView<float> out
    ) const override;

    [[nodiscard]] std::unique_ptr<Recommender> grown(MatrixView<const float> content
    ) const override;

    void save(SafetensorsWriter& weights) const override { profile_.save(weights); }

  private:
    ContentProfile profile_;
};

}  // namespace hg::train
