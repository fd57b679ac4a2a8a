// SPDX-License-Identifier: Apache-2.0
#include "train/recommender.hpp"

namespace hg::train {

void Recommender::user_vectors(
    std::span<const data::History> /*histories*/, MatrixView<float> /*out*/
) const {
    HG_CHECK(false, "this model has no user vectors; ask item_vectors() first");
}

bool Recommender::score_new_items(
    std::span<const data::History> /*histories*/,
    MatrixView<const float> /*content*/,
    MatrixView<float> /*out*/
) const {
    return false;
}

std::unique_ptr<Recommender> Recommender::grown(MatrixView<const float> /*content*/) const {
    return nullptr;
}

}  // namespace hg::train
