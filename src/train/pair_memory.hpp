// SPDX-License-Identifier: Apache-2.0
// Whether the pairs of items that a counting model keeps fit in memory, asked before any is made.
//
// The pairs of item i are at most b_i = min(n - 1, sum of the other items of its users), which is
// cheap and too high where users overlap. So items are drawn with probability b_i / sum b, their
// pairs counted, and sum b is shrunk by the mean share found: a share lies in (0, 1], so 200 draws
// tell it to a few percent.
//
//   check_pairs_fit({.model = "item_knn", .users = users, .limit_bytes = context.memory_limit});
#pragma once

#include "train/sparse.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace hg::train {

/// Distinct ordered pairs of items that some user has both of; `most_per_item` = 0: no cut.
[[nodiscard]] double estimate_pairs(const Csr& users, std::size_t most_per_item = 0);

struct PairBudget {
    std::string_view model;
    const Csr& users;
    std::size_t most_per_item = 0;
    double limit_bytes = 0;
    std::string hint{};
};

/// Throws exhausted: the bytes needed, the bytes there, the hint.
void check_pairs_fit(const PairBudget& budget);

struct PairCount {
    std::string_view model;
    double pairs = 0;
    std::size_t n_items = 0;
    double limit_bytes = 0;
    std::string hint{};
};

/// The same where the number of pairs is known.
void check_pair_count(const PairCount& count);

}  // namespace hg::train
