// SPDX-License-Identifier: Apache-2.0
#include "serve/replay.hpp"

#include "core/progress.hpp"
#include "serve/pool.hpp"
#include "serve/signals.hpp"
#include "serve/user_belief.hpp"
#include "serve/user_knobs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::serve {

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
        const bool is_pushed = !record.is_stub && !items_.dataset().items.find(record.item_id);
        if (!is_pushed && !record.is_deleted) {
            continue;
        }
        Availability available{.row = row};
        if (is_pushed) {
            available.from = record.created;
        }
        if (record.is_deleted) {
            available.until = record.updated;
        }
        availability_.push_back(available);
    }
}

RowSet Replay::unavailable(TimeMs time, const RecommendRequest& request) const {
    auto rows = rows_of(items_.read(), request.exclude);
    for (const auto& item : availability_) {
        if (time < item.from || time >= item.until) {
            rows.insert(item.row);
        }
    }
    return rows;
}

void Replay::restore(Session& session, std::size_t decision) const {
    const auto user = served_.log.user[decision];
    StoredUser known{
        .fields = served_.user_fields[user],
        .settings = parse_settings(served_.user_settings[user]),
        .events = served_.known_events(decision),
    };
    auto then = parse_settings(served_.wishes[decision]);
    known.settings.wishes = std::move(then.wishes);
    known.settings.knobs = then.knobs;
    reader_.fill(session, served_.log.users.name(user), known, served_.log.timestamp[decision]);
}

Candidates Replay::score(Session& session, const policy::Knobs& knobs, const Wanted& wanted) const {
    keep_belief(*snapshot_, session);
    const auto* const belief = session.belief.get();
    const Taste taste{.belief = belief, .wishes = session.settings->wishes};
    auto candidates = score_candidates(*snapshot_, items_, session.view(), taste, wanted);
    if (needs_signals(knobs)) {
        candidates.signals =
            signals_of(*snapshot_, items_, session.view(), belief, candidates.best);
    }
    return candidates;
}

std::vector<Scored> Replay::pool(
    std::size_t decision,
    const policy::SlatePolicy& policy,
    ReplayCache& cache,
    const policy::KnobPolicy* chooser
) const {
    const auto& log = served_.log;
    const auto user = log.user[decision];
    const auto request = value_or_throw(parse_masks(served_.masks[decision], log.users.name(user)));
    Session session;
    restore(session, decision);
    auto knobs = policy.knobs;
    if (chooser != nullptr) {
        keep_belief(*snapshot_, session);
        knobs = knobs_of(*chooser, session);
    }
    const auto excluded = unavailable(log.timestamp[decision], request);
    const PoolRules rules{.request = request, .seen = session.seen, .excluded = excluded};
    const auto options = for_slate_of(policy.options, log.slots.row(decision).size());
    const auto wanted = wanted_rows(options, knobs);
    const auto keep = kept_rows(options);
    const bool is_same = cache.user == user && cache.n_events == session.history_size &&
                         cache.wishes == served_.wishes[decision] && cache.keep == keep &&
                         (!cache.candidates.signals.empty() || !needs_signals(knobs));
    if (!is_same) {
        cache = {
            .user = user,
            .n_events = session.history_size,
            .wishes = served_.wishes[decision],
            .keep = keep,
            .candidates = score(session, knobs, {.keep = keep}),
        };
    }
    auto pool = choose_pool(items_.read(), cache.candidates, rules, wanted);
    if (pool.rows.size() < pool_size(options) && !cache.candidates.is_complete) {
        const auto all = score(session, knobs, wanted_of_all(items_, rules, wanted));
        pool = choose_pool(items_.read(), all, rules, wanted);
    }
    rank(*snapshot_, knobs, pool, pool_size(options));
    for (auto& candidate : pool.rows) {
        candidate.index = ids_.at(candidate.index);
    }
    return std::move(pool.rows);
}

}  // namespace hg::serve
