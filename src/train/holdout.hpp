// SPDX-License-Identifier: Apache-2.0
// holdout: how a gradient model judges itself while it learns: held-out users or last events, full
// ranking, the given history masked, NDCG@10.
//
// Binary gains, the ideal list cut at 10; a query without targets does not count.
#pragma once

#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace hg::train {

/// What is known of a user and what should come.
struct Query {
    std::vector<ItemId> context;
    std::vector<ItemId> targets;
};

/// out: [queries.size(), n_items] scores of the queries' contexts.
using ScoreQueries = std::function<void(std::span<const Query> queries, MatrixView<float> out)>;

/// Mean NDCG@10 over the queries that have targets; 0 where there are none. Scores in chunks.
[[nodiscard]] double mean_ndcg(
    std::span<const Query> queries, std::size_t n_items, const ScoreQueries& score
);

/// A random choice of `count` of 0..n-1, as flags.
[[nodiscard]] std::vector<bool> choose(std::size_t n, std::size_t count, Rng rng);

}  // namespace hg::train
