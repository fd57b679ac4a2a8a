// SPDX-License-Identifier: Apache-2.0
// Candidates -> the pool a slate is drawn from.
#include "serve/engine.hpp"
#include "serve/engine_state.hpp"
#include "serve/pool.hpp"
#include "serve/scoring.hpp"
#include "serve/signals.hpp"
#include "serve/slate_text.hpp"
#include "serve/user_belief.hpp"
#include "serve/user_knobs.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace hg::serve {

bool Engine::may_keep_order(const RecommendRequest& request, const UserState& state) {
    return state.session != nullptr && !request.explain && request.filter.empty() &&
           request.exclude.empty() && request.seen == Seen::hide;
}

bool Engine::find_kept_order(const UserState& state, std::size_t size, Pool& pool) {
    const std::scoped_lock lock{state.session->mutex};
    const auto& ranked = state.session->ranked;
    if (ranked == nullptr || ranked->candidates != state.candidates ||
        ranked->knobs != state.knobs || ranked->rows.size() != size) {
        return false;
    }
    pool.rows = ranked->rows;
    pool.greedy = ranked->greedy;
    pool.text = ranked->text;
    return true;
}

void Engine::keep_order(const UserState& state, const Pool& pool) {
    auto ranked = std::make_shared<const Ranked>(
        Ranked{state.candidates, pool.knobs, pool.rows, pool.greedy, pool.text}
    );
    const std::scoped_lock lock{state.session->mutex};
    state.session->ranked = std::move(ranked);
}

PoolRows Engine::allowed_rows(
    const RecommendRequest& request,
    const Candidates& candidates,
    const RowSet& seen,
    std::size_t wanted
) const {
    const auto items = items_.read();
    const auto excluded = rows_of(items, request.exclude);
    return choose_pool(
        items, candidates, {.request = request, .seen = seen, .excluded = excluded}, wanted
    );
}

/// Where too many of the kept candidates are masked away: more of the index's, and if that is not
/// enough, the best of all that may be shown.
PoolRows Engine::rows_of_more(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const Taste& taste,
    const Pool& pool,
    std::size_t wanted
) {
    const auto seen = [&] {
        if (state.session == nullptr) {
            return state.seen;
        }
        const std::scoped_lock lock{state.session->mutex};
        return state.session->seen;
    }();
    const auto excluded = rows_of(items_.read(), request.exclude);
    const PoolRules rules{.request = request, .seen = seen, .excluded = excluded};
    const auto chosen_of = [&](const Wanted& rows) {
        auto all = score_candidates(snapshot, items_, pool.view(), taste, rows);
        if (needs_signals(pool.knobs)) {
            all.signals = signals_of(snapshot, items_, pool.view(), taste.belief, all.best);
        }
        return choose_pool(items_.read(), all, rules, wanted);
    };
    const bool has_index = snapshot.retrieval != nullptr && snapshot.retrieval->has_index();
    if (has_index && taste.wishes.empty()) {
        const auto enough = pool_size(for_slate_of(options_.policy, request.k));
        constexpr std::size_t more = 4;
        auto chosen = chosen_of({.keep = more * kept_rows(options_.policy)});
        if (chosen.rows.size() >= enough) {
            return chosen;
        }
    }
    return chosen_of(wanted_of_all(items_, rules, wanted));
}

/// What is not hidden, seen or filtered, best first: by the ranker, then by the knobs.
Engine::Pool Engine::pool_of(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const policy::PlackettLuceOptions& options
) {
    Pool pool;
    pool.knobs = state.knobs;
    const auto size = pool_size(options);
    const auto wanted = wanted_rows(options, pool.knobs);
    const bool keeps = may_keep_order(request, state);
    if (keeps && find_kept_order(state, size, pool)) {
        return pool;
    }
    PoolRows chosen;
    const auto is_enough = [&] {
        return chosen.rows.size() >= size || state.candidates->is_complete;
    };
    std::optional<policy::Belief> belief;
    if (state.session == nullptr) {
        chosen = allowed_rows(request, *state.candidates, state.seen, wanted);
        pool.events = state.events;
        pool.attributes = state.attributes;
        belief = state.belief;
    } else {
        auto& session = *state.session;
        const std::scoped_lock lock{session.mutex};
        chosen = allowed_rows(request, *state.candidates, session.seen, wanted);
        if (request.explain || !is_enough()) {
            pool.events = session.events;
            pool.attributes = session.attributes;
            keep_belief(snapshot, session);
            belief = session.copy_of_belief();
        }
    }
    if (!is_enough()) {
        const Taste taste{.belief = belief ? &*belief : nullptr, .wishes = state.wishes};
        chosen = rows_of_more(snapshot, request, state, taste, pool, wanted);
    }
    for (std::size_t i = 0; i < std::min(size, chosen.rows.size()); ++i) {
        pool.greedy.push_back(chosen.rows[i].index);
    }
    rank(snapshot, pool.knobs, chosen, size);
    pool.rows = std::move(chosen.rows);
    pool.text = std::make_shared<const CandidatesText>(text_of(items_.read(), pool.rows));
    if (keeps) {
        keep_order(state, pool);
    }
    return pool;
}

}  // namespace hg::serve
