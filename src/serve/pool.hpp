// SPDX-License-Identifier: Apache-2.0
// pool: what a slate is drawn from: the best scored items that may be shown to this user now. The
// server and the replay of its decisions choose it by the same rules.
//
//   const auto rows = choose_pool(items.read(), candidates.best, rules, pool_size(options, k));
#pragma once

#include "core/top_k.hpp"
#include "policy/plackett_luce.hpp"
#include "serve/http/bodies.hpp"
#include "serve/item_table.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

namespace hg::serve {

/// What may not be shown; borrowed.
struct PoolRules {
    const RecommendRequest& request;              // filter and seen
    const std::unordered_set<ItemRow>& seen;      // hidden where the request says so
    const std::unordered_set<ItemRow>& excluded;  // rows of request.exclude
};

/// The first `size` of `best` (best first) that may be shown.
[[nodiscard]] std::vector<Scored> choose_pool(
    const ItemTable::Read& items,
    std::span<const Scored> best,
    const PoolRules& rules,
    std::size_t size
);

/// The rows of these ids; unknown ones are left out.
[[nodiscard]] std::unordered_set<ItemRow> rows_of(
    const ItemTable::Read& items, std::span<const std::string> ids
);

/// The policy of a slate of k: it has never fewer candidates than slots.
[[nodiscard]] policy::PlackettLuceOptions for_slate_of(
    policy::PlackettLuceOptions options, std::size_t k
);

}  // namespace hg::serve
