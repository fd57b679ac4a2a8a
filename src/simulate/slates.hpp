// SPDX-License-Identifier: Apache-2.0
// slates: every slate of a few items, where there are few enough to try them all; and whether a
// slate fits its candidates at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hg::simulate {

/// Of a world's options. Throws Error{invalid_argument} where more is shown than offered.
void check_slate_size(std::int64_t slate_size, std::int64_t n_offered);

/// All sets of k of the items 0 .. n - 1, each ascending, in lexicographic order. k <= n.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> all_slates(std::size_t n, std::size_t k);

}  // namespace hg::simulate
