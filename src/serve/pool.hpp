// SPDX-License-Identifier: Apache-2.0
// pool: what a slate is drawn from: the best scored items that may be shown to this user now, in the
// order of the ranker and then of the knobs. The server and the replay of its decisions choose it by
// the same rules.
//
//   const auto policy = for_slate_of(options, k);
//   auto pool = choose_pool(items.read(), candidates, rules, wanted_rows(policy, knobs));
//   rank(snapshot, knobs, pool, pool_size(policy));
#pragma once

#include "core/top_k.hpp"
#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"
#include "serve/http/bodies.hpp"
#include "serve/item_table.hpp"
#include "serve/row_set.hpp"
#include "serve/scoring.hpp"
#include "serve/snapshot.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hg::serve {

/// What may not be shown; borrowed.
struct PoolRules {
    const RecommendRequest& request;  // filter and seen
    const RowSet& seen;               // hidden where the request says so
    const RowSet& excluded;           // rows of request.exclude
};

/// Rows a slate may show, best first, and beside them what the knobs weigh (empty where the
/// candidates have no signals).
struct PoolRows {
    std::vector<Scored> rows{};
    std::vector<policy::Signals> signals{};
};

/// Whether the rules let this item be shown.
[[nodiscard]] bool may_show(const ItemTable::Read& items, const PoolRules& rules, ItemRow row);

/// For score_candidates(), where the kept candidates were too few: the best `size` of all that may
/// be shown. The references outlive it.
[[nodiscard]] Wanted wanted_of_all(
    const ItemTable& items, const PoolRules& rules, std::size_t size
);

/// The first `size` candidates that may be shown.
[[nodiscard]] PoolRows choose_pool(
    const ItemTable::Read& items,
    const Candidates& candidates,
    const PoolRules& rules,
    std::size_t size
);

/// In the order of the knobs, cut to `size`; all knobs at 0 leave the ranker's.
void rank(const Snapshot& snapshot, const policy::Knobs& knobs, PoolRows& pool, std::size_t size);

/// How many rows a slate is drawn from.
[[nodiscard]] std::size_t pool_size(const policy::PlackettLuceOptions& policy) noexcept;

/// How many rows choose_pool() is to find: the knobs weigh all that may be shown.
[[nodiscard]] std::size_t wanted_rows(
    const policy::PlackettLuceOptions& policy, const policy::Knobs& knobs
) noexcept;

/// How many scored rows are kept of a user, so how many the knobs weigh.
[[nodiscard]] std::size_t kept_rows(const policy::PlackettLuceOptions& policy) noexcept;

/// The rows of these ids; unknown ones are left out.
[[nodiscard]] RowSet rows_of(const ItemTable::Read& items, std::span<const std::string> ids);

/// The policy of a slate of k: it has never fewer candidates than slots.
[[nodiscard]] policy::PlackettLuceOptions for_slate_of(
    policy::PlackettLuceOptions options, std::size_t k
);

}  // namespace hg::serve
