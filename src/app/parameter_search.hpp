// SPDX-License-Identifier: Apache-2.0
// parameter_search: where to look next, given what was found so far.
//
// random: evenly. tpe: the tree-structured Parzen estimator (Bergstra et al., "Algorithms for
// Hyper-Parameter Optimization", 2011): a density of the best tenth of the points and one of the
// others, each dimension by itself; of 24 draws from the first the one where it exceeds the second
// most. The first ten points are random.
//
//   const auto point = next_point(space, SearchKind::tpe, seen, rng.split(seen.size()));
#pragma once

#include "app/search_space.hpp"
#include "core/rng.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace hg::app {

enum class SearchKind : std::uint8_t { random, tpe, halving };

/// Throws Error with the known names.
[[nodiscard]] SearchKind parse_search(std::string_view name);

/// A point that was tried; higher is better, NaN = it could not be fitted.
struct SeenPoint {
    SearchPoint point;
    double value = 0;
};

/// A function of its arguments alone, so that a search that was stopped goes on as it would have.
[[nodiscard]] SearchPoint next_point(
    const SearchSpace& space, SearchKind kind, std::span<const SeenPoint> seen, Rng rng
);

}  // namespace hg::app
