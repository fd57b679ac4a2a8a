// SPDX-License-Identifier: Apache-2.0
// RatingItems: what is known of each item before a user answers, as inputs and offsets of tasks:
// learned from the ratings of training users, and from content where an item has none.
//
//   offset_i = mu + (sum over its users of (r - mu - b_u) + s c(i)) / (n_i + s)      (Koren, 2010)
//   c(i)     = ridge from content to what items rated often have, so a new item gets its genre's
//   inputs_i = factors (rating_factors.hpp), leading content columns, offset, n_i / (n_i + s)
//
// All but the last column have variance 1 over the items. Torch-free.
//
//   const RatingItems items = describe_rating_items(ratings, content.view(), {}, rng);
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"
#include "core/rng.hpp"
#include "policy/meta/rating_factors.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::policy {

struct RatingItemOptions {
    std::int64_t factors = 8;
    std::int64_t iterations = 40;
    std::int64_t content_inputs = 8;
    double prior_events = 4;
    double user_shrinkage = 10;
    double content_ridge = 5;

    static void describe(OptionBinder& bind, RatingItemOptions& o);
};

struct RatingItems {
    std::vector<float> offsets;    // [n_items]
    Matrix<float> inputs;          // [n_items, n_inputs]; the factors come first
    std::vector<float> n_ratings;  // [n_items]
};

/// `content`: [n_items, c], most important columns first; c = 0 for none. `ratings` need not be
/// sorted.
[[nodiscard]] RatingItems describe_rating_items(
    std::span<const Rating> ratings,
    MatrixView<const float> content,
    const RatingItemOptions& options,
    Rng rng
);

/// Turns the factor columns of `items` so that they lie on those of `reference` as well as a
/// rotation can (Schonemann, 1966): factors of two fits differ by one, and learners must not see
/// it.
void align_factors(RatingItems& items, const RatingItems& reference, std::size_t n_factors);

}  // namespace hg::policy
