// SPDX-License-Identifier: Apache-2.0
// The path of a recommendation: who -> candidates -> pool -> slate with true propensities ->
// reasons.
#include "core/digest.hpp"
#include "core/rng.hpp"
#include "serve/engine.hpp"
#include "serve/pool.hpp"
#include "serve/reasons.hpp"
#include "serve/scoring.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

namespace hg::serve {

/// Who asks: what the model and the masks need of them.
struct Engine::UserState {
    std::shared_ptr<Session> session;  // null: an anonymous history
    std::vector<UserEvent> events;  // of the anonymous one; of a session only when they were needed
    std::unordered_set<ItemRow> seen;  // of the anonymous one
    std::uint64_t event_number = 0;
    std::int64_t last_event = 0;  // sequence in the store
    std::shared_ptr<const Candidates> candidates;
};

/// What the slate is drawn from, best first.
struct Engine::Pool {
    std::vector<Scored> rows;
    std::vector<UserEvent> events;  // only for an explanation
};

namespace {

/// A name nobody can guess, and the seed of the draw: a slate can be drawn again from its id.
struct RecommendationId {
    std::string text;
    std::uint64_t seed = 0;
};

RecommendationId make_recommendation_id() {
    std::array<unsigned char, 16> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    RecommendationId id;
    for (const auto byte : bytes) {
        fmt::format_to(std::back_inserter(id.text), "{:02x}", byte);
    }
    std::memcpy(&id.seed, bytes.data(), sizeof id.seed);
    return id;
}

std::string candidates_text(const ItemTable::Read& items, std::span<const Scored> pool) {
    std::string text = "[";
    for (const auto& candidate : pool) {
        fmt::format_to(
            std::back_inserter(text),
            "{}[{},{}]",  // the score's shortest digits: the policy gives its propensities again
            text.size() > 1 ? "," : "",
            nlohmann::json(items.id(candidate.index))
                .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
            candidate.score
        );
    }
    return text + "]";
}

}  // namespace

std::vector<UserEvent> Engine::events_of(const RecommendRequest& request) {
    std::vector<UserEvent> events;
    const auto now = clock_.now();
    const auto items = items_.read();
    for (const auto& entry : request.history) {
        const auto row = items.find(entry.item_id);
        if (!row) {
            continue;
        }  // nothing is known of it, and asking creates nothing
        data::NewEvent event{.item_id = entry.item_id, .event = entry.event, .value = entry.value};
        if (entry.event.empty()) {
            event.event = dataset_->event_types.front().name;
        }
        auto made = sessions_.reader().to_user_event(event, entry.timestamp.value_or(now), *row);
        if (entry.event.empty()) {
            made.weight = 1;
        }
        events.push_back(made);
    }
    const auto first = events.size() - std::min(events.size(), options_.sessions.max_history);
    events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(first));
    return events;
}

Result<Engine::UserState> Engine::state_of(
    const Snapshot& snapshot, const RecommendRequest& request
) {
    UserState state;
    if (request.user_id.empty()) {
        state.events = events_of(request);
        for (const auto& event : state.events) {
            state.seen.insert(event.row);
        }
        state.candidates = std::make_shared<Candidates>(
            score_candidates(snapshot, items_, state.events, options_.keep_candidates)
        );
        figures_.candidates_scored += 1;
        return state;
    }
    HG_TRY(state.session, sessions_.open(snapshot, request.user_id));
    {
        const std::scoped_lock lock{state.session->mutex};
        state.event_number = state.session->event_number;
        state.last_event = state.session->sequence;
        const auto& cached = state.session->candidates;
        const bool is_fresh = cached != nullptr && cached->snapshot == snapshot.number &&
                              cached->event_number == state.event_number &&
                              cached->items_version == items_.version();
        if (is_fresh) {
            state.candidates = cached;
            figures_.candidates_reused += 1;
            return state;
        }
        state.events = state.session->events;
    }
    // Not under the lock: an event of this user must not wait for the model.
    auto scored = score_candidates(snapshot, items_, state.events, options_.keep_candidates);
    scored.event_number = state.event_number;
    state.candidates = std::make_shared<Candidates>(std::move(scored));
    figures_.candidates_scored += 1;
    const std::scoped_lock lock{state.session->mutex};
    if (state.session->event_number == state.event_number) {
        state.session->candidates = state.candidates;
    }
    return state;
}

Engine::Pool Engine::pool_of(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    std::size_t size
) {
    Pool pool;
    const auto fill = [&](const Candidates& candidates, const std::unordered_set<ItemRow>& seen) {
        const auto items = items_.read();
        const auto excluded = rows_of(items, request.exclude);
        pool.rows = choose_pool(
            items, candidates.best, {.request = request, .seen = seen, .excluded = excluded}, size
        );
    };
    const auto is_enough = [&] {
        return pool.rows.size() >= size || state.candidates->is_complete;
    };
    if (state.session == nullptr) {
        fill(*state.candidates, state.seen);
        pool.events = state.events;
    } else {
        const std::scoped_lock lock{state.session->mutex};
        fill(*state.candidates, state.session->seen);
        if (request.explain || !is_enough()) {
            pool.events = state.session->events;
        }
    }
    if (is_enough()) {
        return pool;
    }
    const auto all = score_candidates(snapshot, items_, pool.events, data::EventStore::all);
    if (state.session == nullptr) {
        fill(all, state.seen);
    } else {
        const std::scoped_lock lock{state.session->mutex};
        fill(all, state.session->seen);
    }
    return pool;
}

void Engine::log_impression(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const Pool& pool,
    const policy::PlackettLuce& policy,
    const policy::Slate& slate,
    const std::string& id
) {
    data::Impression impression{
        .recommendation_id = id,
        .user_id = request.user_id,
        .time = clock_.now(),
        .model = snapshot.run.name,
        .policy = std::string{policy.version()},
        .context = request.context,
        .propensity = slate.propensity,
        .is_deterministic = slate.deterministic,
        .masks = masks_text(request),
    };
    if (state.session != nullptr) {
        impression.last_event = state.last_event;
    }
    {
        const auto items = items_.read();
        impression.candidates = candidates_text(items, pool.rows);
        for (const auto& slot : slate.slots) {
            impression.slots.push_back(
                {items.id(slot.item), static_cast<double>(slot.score), slot.propensity}
            );
        }
    }
    constexpr std::size_t digits = 16;
    impression.candidate_set = digest_hex(impression.candidates).substr(0, digits);
    store_.log_impression(std::move(impression));
}

nlohmann::json Engine::slate_json(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const Pool& pool
) {
    const policy::PlackettLuce policy{for_slate_of(options_.policy, request.k)};
    const auto id = make_recommendation_id();
    Rng rng{id.seed};
    const auto slate = policy.act(pool.rows, request.k, rng);
    std::vector<ItemRow> shown;
    for (const auto& slot : slate.slots) {
        shown.push_back(slot.item);
    }
    const auto reasons = reasons_for(
        snapshot, items_, pool.events, shown, request.explain ? Explain::yes : Explain::no
    );
    log_impression(snapshot, request, state, pool, policy, slate, id.text);
    auto rows = nlohmann::json::array();
    const auto items = items_.read();
    for (std::size_t i = 0; i < slate.slots.size(); ++i) {
        const auto& slot = slate.slots[i];
        nlohmann::json row{
            {"item_id", items.id(slot.item)},
            {"title", items.title(slot.item)},
            {"score", slot.score},
            {"propensity", slot.propensity},
            {"reason", reasons[i].text},
        };
        if (reasons[i].because) {
            row["because"] = items.id(*reasons[i].because);
        }
        rows.push_back(std::move(row));
    }
    return {
        {"recommendation_id", id.text},
        {"policy", policy.version()},
        {"model", snapshot.run.name},
        {"items", std::move(rows)},
    };
}

Result<nlohmann::json> Engine::recommend(const RecommendRequest& request) {
    const auto snapshot = snapshot_.get();
    HG_CHECK(snapshot != nullptr, "publish() comes before requests");
    HG_TRY(const auto state, state_of(*snapshot, request));
    const auto size = for_slate_of(options_.policy, request.k).max_candidates;
    const auto pool = pool_of(*snapshot, request, state, static_cast<std::size_t>(size));
    figures_.recommendations += 1;
    return slate_json(*snapshot, request, state, pool);
}

}  // namespace hg::serve
