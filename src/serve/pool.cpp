// SPDX-License-Identifier: Apache-2.0
#include "serve/pool.hpp"

#include <algorithm>

namespace hg::serve {

std::vector<Scored> choose_pool(
    const ItemTable::Read& items,
    std::span<const Scored> best,
    const PoolRules& rules,
    std::size_t size
) {
    std::vector<Scored> pool;
    for (const auto& candidate : best) {
        const auto row = candidate.index;
        if (pool.size() >= size) {
            break;
        }
        if (rules.request.seen == Seen::hide && rules.seen.contains(row)) {
            continue;
        }
        if (items.is_hidden(row) || rules.excluded.contains(row) ||
            !items.matches(row, rules.request.filter)) {
            continue;
        }
        pool.push_back(candidate);
    }
    return pool;
}

std::unordered_set<ItemRow> rows_of(
    const ItemTable::Read& items, std::span<const std::string> ids
) {
    std::unordered_set<ItemRow> rows;
    for (const auto& id : ids) {
        if (const auto row = items.find(id)) {
            rows.insert(*row);
        }
    }
    return rows;
}

policy::PlackettLuceOptions for_slate_of(policy::PlackettLuceOptions options, std::size_t k) {
    options.max_candidates = std::max(options.max_candidates, static_cast<std::int64_t>(k));
    return options;
}

}  // namespace hg::serve
