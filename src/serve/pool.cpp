// SPDX-License-Identifier: Apache-2.0
#include "serve/pool.hpp"

#include "serve/signals.hpp"

#include <algorithm>

namespace hg::serve {

bool may_show(const ItemTable::Read& items, const PoolRules& rules, ItemRow row) {
    const bool is_seen = rules.request.seen == Seen::hide && rules.seen.contains(row);
    return !is_seen && !items.is_hidden(row) && !rules.excluded.contains(row) &&
           items.matches(row, rules.request.filter);
}

Wanted wanted_of_all(const ItemTable& items, const PoolRules& rules, std::size_t size) {
    // Signals of a million rows would take a second, and the knobs change nothing that far down.
    constexpr std::size_t most_weighed = 50'000;
    return {
        .keep = std::min(size, most_weighed),
        .only =
            [&items, &rules](std::vector<Scored>& rows) {
                const auto read = items.read();
                std::erase_if(rows, [&](const Scored& row) {
                    return !may_show(read, rules, row.index);
                });
            },
    };
}

PoolRows choose_pool(
    const ItemTable::Read& items,
    const Candidates& candidates,
    const PoolRules& rules,
    std::size_t size
) {
    PoolRows pool;
    for (std::size_t i = 0; i < candidates.best.size() && pool.rows.size() < size; ++i) {
        if (!may_show(items, rules, candidates.best[i].index)) {
            continue;
        }
        pool.rows.push_back(candidates.best[i]);
        if (!candidates.signals.empty()) {
            pool.signals.push_back(candidates.signals[i]);
        }
    }
    return pool;
}

void rank(const Snapshot& snapshot, const policy::Knobs& knobs, PoolRows& pool, std::size_t size) {
    const bool is_diverse = knobs.diversity != 0;
    constexpr auto considered = static_cast<std::size_t>(policy::considered_for);
    policy::apply(knobs, pool.signals, pool.rows, is_diverse ? considered * size : size);
    if (is_diverse) {
        const auto directions = directions_of(snapshot, pool.rows);
        const auto direction = [&](std::size_t place) { return directions.row(place); };
        policy::diversify(knobs.diversity, policy::likeness_by(direction), pool.rows, size);
    }
    pool.signals.clear();  // of another order by now
}

std::size_t pool_size(const policy::PlackettLuceOptions& policy) noexcept {
    return static_cast<std::size_t>(policy.pool_size());
}

std::size_t wanted_rows(
    const policy::PlackettLuceOptions& policy, const policy::Knobs& knobs
) noexcept {
    return knobs == policy::Knobs{} ? pool_size(policy) : data::EventStore::all;
}

std::size_t kept_rows(const policy::PlackettLuceOptions& policy) noexcept {
    constexpr std::size_t least = 512;
    // Some are masked: twice what a slate is drawn from is enough for most users.
    return std::max(least, 2 * pool_size(policy));
}

RowSet rows_of(const ItemTable::Read& items, std::span<const std::string> ids) {
    RowSet rows;
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
