// SPDX-License-Identifier: Apache-2.0
#include "serve/replay.hpp"

#include "core/progress.hpp"
#include "serve/pool.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::serve {
namespace {

constexpr std::size_t keep_candidates = 256;  // scored rows looked at before all are

}  // namespace

Replay::Replay(const ReplaySetup& setup, data::IdMap& ids)
    : served_(setup.served), items_(setup.dataset), reader_(items_, setup.sessions.max_history) {
    restore(served_.items);
    SilentProgress silent;
    snapshot_ = load_snapshot(setup.source, 1, items_, silent, {});
    encode_arrivals(*snapshot_, items_);
    const auto items = items_.read();
    for (ItemRow row = 0; row < items.size(); ++row) {
        ids_.push_back(ids.intern(items.id(row)));
    }
}

void Replay::restore(const std::vector<data::ItemRecord>& records) {
    auto all = records;
    for (auto& record : all) {
        record.is_deleted = false;  // it may have been shown before
    }
    restore_items(items_, all);
    const auto items = items_.read();
    for (const auto& record : records) {
        const auto row = items.find(record.item_id).value();
        if (record.is_deleted) {
            availability_.push_back({.row = row, .until = record.updated});
        } else if (!record.is_stub && !items_.dataset().items.find(record.item_id)) {
            availability_.push_back({.row = row, .from = record.created});
        }
    }
}

std::unordered_set<ItemRow> Replay::unavailable(TimeMs time, const RecommendRequest& request)
    const {
    auto rows = rows_of(items_.read(), request.exclude);
    for (const auto& item : availability_) {
        if (time < item.from || time >= item.until) {
            rows.insert(item.row);
        }
    }
    return rows;
}

const Candidates& Replay::score(
    std::size_t decision, std::span<const UserEvent> events, std::size_t n_known, ReplayCache& cache
) const {
    const auto user = served_.log.user[decision];
    if (cache.user != user || cache.n_events != n_known) {
        cache = {
            .user = user,
            .n_events = n_known,
            .candidates = score_candidates(*snapshot_, items_, events, keep_candidates),
        };
    }
    return cache.candidates;
}

std::vector<Scored> Replay::pool(
    std::size_t decision, const policy::PlackettLuceOptions& policy, ReplayCache& cache
) const {
    const auto& log = served_.log;
    const auto& user_id = log.users.name(log.user[decision]);
    const auto request = value_or_throw(parse_masks(served_.masks[decision], user_id));
    const auto known = served_.known_events(decision);
    Session session;
    reader_.fill(session, user_id, DatasetHistory::include, known, log.timestamp[decision]);
    const auto excluded = unavailable(log.timestamp[decision], request);
    const PoolRules rules{.request = request, .seen = session.seen, .excluded = excluded};
    const auto size =
        static_cast<std::size_t>(for_slate_of(policy, log.slots.row(decision).size()).max_candidates
        );
    const auto& best = score(decision, session.events, known.size(), cache);
    auto pool = choose_pool(items_.read(), best.best, rules, size);
    if (pool.size() < size && !best.is_complete) {
        const auto all =
            score_candidates(*snapshot_, items_, session.events, data::EventStore::all);
        pool = choose_pool(items_.read(), all.best, rules, size);
    }
    for (auto& candidate : pool) {
        candidate.index = ids_.at(candidate.index);
    }
    return pool;
}

}  // namespace hg::serve
