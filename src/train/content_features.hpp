// SPDX-License-Identifier: Apache-2.0
// ContentFeatures: what a hidden layer makes of an item's content, for a content map that is not linear.
//
//   f(c) = (c, s tanh(W'c + b))
//
// W and b are learned with a linear layer A on top of f, which is thrown away: the content map solves its own
// ridge regression on f, so that a map with a hidden layer has the plain one within.
//   mlp          A f(c) is the item's vector                      weighted squared error
//   contrastive  A f(c) is nearer to the item's own vector than to those of others in the batch, by cosine
//                (InfoNCE: van den Oord et al., 2018)
//
//   const auto features = learn_content_features(examples, ContentMapKind::mlp, rng);
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace hg::train {

enum class ContentMapKind : std::uint8_t { ridge, mlp, contrastive };

/// Throws Error with the known names.
[[nodiscard]] ContentMapKind parse_content_map(std::string_view name);

struct ContentFeatures {
    Matrix<float> weights{};      // [content_dim, hidden]; empty = f(c) is c
    std::vector<float> offset{};  // [hidden]
    float scale = 1;              // s: hidden numbers vary as much as those of the content

    [[nodiscard]] bool empty() const noexcept { return weights.empty(); }

    /// [content_dim + hidden]
    [[nodiscard]] std::vector<float> of(std::span<const float> content) const;
};

struct ContentExamples {
    MatrixView<const float> content;  // [n, content_dim]
    MatrixView<const float> vectors;  // [n, d]
    std::span<const float> weights;   // [n]
};

/// A few seconds, not to be stopped; seeds torch's own generator. Empty for ridge.
[[nodiscard]] ContentFeatures learn_content_features(
    const ContentExamples& examples, ContentMapKind kind, Rng rng
);

}  // namespace hg::train
