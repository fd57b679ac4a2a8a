// SPDX-License-Identifier: Apache-2.0
// ContentMap: from what an item is to where it lies in the space of preferences, for items without
// events.
//
// v = B'c + b + e, e ~ N(0, diag(r)): ridge regression of the vectors of items with events on their
// content, an item counting n / (n + 1) for its n events. The penalty is the one that predicts the
// vectors of items held out best (folds over items); r is what was left unexplained of them, one
// number per dimension, so that a new item comes with its own uncertainty. With kind mlp or contrastive
// c is what a learned hidden layer makes of the content (content_features.hpp), learned anew without
// the items held out. Const-safe.
//
//   const ContentMap map = fit_content_map({.content = content, .vectors = v, .n_events = n}, rng);
//   const std::vector<float> place = map.place(content_of_a_new_item);
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "encode/item_vectors.hpp"
#include "train/content_features.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace hg::train {

struct ContentMap {
    ContentFeatures features{};     // empty: the content itself
    Matrix<float> weights{};        // [content_dim, or of the features, d]; empty = no map
    std::vector<float> offset{};    // [d]
    std::vector<float> variance{};  // [d], of the part that content does not tell
    float penalty = 0;              // chosen, relative to the mean of the Gram matrix's diagonal
    float explained = 0;            // share of the variance of held-out items; <= 0 = nothing

    [[nodiscard]] bool empty() const noexcept { return weights.empty(); }

    [[nodiscard]] std::size_t content_dim() const noexcept {
        return features.empty() ? weights.rows() : features.weights.rows();
    }

    /// [d]; an item whose content is all zeros (nothing is known) lies at the offset of a plain map.
    [[nodiscard]] std::vector<float> place(std::span<const float> content) const;
};

struct ContentMapData {
    const encode::ItemVectors& content;
    MatrixView<const float> vectors;  // [n_items, d]
    std::span<const float> n_events;  // [n_items]; items without events or content are left out
    double penalty = 0;               // 0 = chosen on items held out
    ContentMapKind kind = ContentMapKind::ridge;
};

/// O(folds * content_dim^3), and with a hidden layer as many trainings of it and one more. Empty where fewer than two items have both events and content.
[[nodiscard]] ContentMap fit_content_map(const ContentMapData& data, Rng rng);

}  // namespace hg::train
