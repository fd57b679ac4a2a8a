// SPDX-License-Identifier: Apache-2.0
#include "train/content_recommender.hpp"

#include "train/dense.hpp"

namespace hg::train {

void ContentRecommender::score(std::span<const data::History> histories, MatrixView<float> out)
    const {
    Matrix<float> users(histories.size(), profile_.items().cols());
    profile_.users(histories, users.view());
    multiply_transposed(users.view(), profile_.items(), out);
}

bool ContentRecommender::score_new_items(
    std::span<const data::History> histories, MatrixView<const float> content, MatrixView<float> out
) const {
    if (content.cols() != profile_.dim()) {
        return false;
    }
    profile_.score_new(histories, content, out);
    return true;
}

std::unique_ptr<Recommender> ContentRecommender::grown(MatrixView<const float> content) const {
    return content.cols() == profile_.dim()
               ? std::make_unique<ContentRecommender>(profile_.grown(content))
               : nullptr;
}

}  // namespace hg::train
