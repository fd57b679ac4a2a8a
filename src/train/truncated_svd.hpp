// SPDX-License-Identifier: Apache-2.0
// truncated_svd: the leading right singular vectors of the sparse users x items matrix of a log.
//
// Randomised subspace iteration (Halko, Martinsson and Tropp, 2011, algorithm 4.4) with 16 extra
// columns; the matrix is never dense. Deterministic given the generator.
#pragma once

#include "core/matrix.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "data/interaction_log.hpp"

#include <cstddef>
#include <stop_token>
#include <vector>

namespace hg::train {

struct TruncatedSvd {
    Matrix<float> right;          // V [n_items, rank], orthonormal columns
    std::vector<float> singular;  // S [rank], descending
};

struct SvdOptions {
    std::size_t rank = 48;
    std::size_t power_iterations = 12;
};

/// X[u, i] = 1 where the log has an event of positive weight. O(iterations * events * rank).
[[nodiscard]] TruncatedSvd truncated_svd(
    const data::InteractionLog& log,
    SvdOptions options,
    Rng rng,
    ProgressSink& progress,
    std::stop_token stop
);

/// The distinct items each user liked, ascending: the rows of X.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> liked_items(const data::InteractionLog& log);

}  // namespace hg::train
