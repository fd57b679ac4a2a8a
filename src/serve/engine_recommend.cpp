// SPDX-License-Identifier: Apache-2.0
// The path of a recommendation: who -> candidates -> pool -> slate with true propensities ->
// reasons.
#include "core/rng.hpp"
#include "data/attributes.hpp"
#include "policy/slate_policy.hpp"
#include "serve/engine.hpp"
#include "serve/engine_state.hpp"
#include "serve/pool.hpp"
#include "serve/reasons.hpp"
#include "serve/scoring.hpp"
#include "serve/signals.hpp"
#include "serve/slate_text.hpp"
#include "serve/user_attributes.hpp"
#include "serve/user_belief.hpp"
#include "serve/user_knobs.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace hg::serve {

namespace {

/// A name nobody can guess (80 random bits), and the seed of the draw: a slate can be drawn again
/// from its id. It begins with the time, so that rows of one minute lie together in the index: a
/// commit writes a page of it instead of one an impression.
struct RecommendationId {
    std::string text;
    std::uint64_t seed = 0;
};

RecommendationId make_recommendation_id(TimeMs now) {
    std::array<unsigned char, 10> bytes{};
    randombytes_buf(bytes.data(), bytes.size());
    RecommendationId id{.text = fmt::format("{:012x}", static_cast<std::uint64_t>(now))};
    for (const auto byte : bytes) {
        fmt::format_to(std::back_inserter(id.text), "{:02x}", byte);
    }
    std::memcpy(&id.seed, bytes.data(), sizeof id.seed);
    return id;
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
        state.attributes = attributes_of(request.fields);
        for (const auto& event : state.events) {
            state.seen.insert(event.row);
        }
        state.belief = make_belief(snapshot, state.view(), {});
        state.knobs = snapshot.admitted.knobs->choose(knob_state(state.taste().belief));
        score(snapshot, state);
        return state;
    }
    HG_TRY(state.session, sessions_.open(snapshot, request.user_id));
    {
        auto& session = *state.session;
        const std::scoped_lock lock{session.mutex};
        keep_belief(snapshot, session);  // it may have been dropped since
        state.knobs = knobs_of(*snapshot.admitted.knobs, session);
        state.event_number = session.event_number;
        state.last_event = session.sequence;
        state.wishes = session.settings->wishes;
        state.edits = session.settings->knobs;
        const auto& cached = session.candidates;
        const bool is_fresh =
            cached != nullptr && cached->snapshot == snapshot.number &&
            cached->event_number == state.event_number &&
            cached->items_version == items_.version() &&
            (!cached->signals.empty() || !needs_signals(state.knobs) || cached->best.empty());
        if (is_fresh) {
            state.candidates = cached;
            figures_.candidates_reused += 1;
            return state;
        }
        state.events = session.events;
        state.attributes = session.attributes;
        state.belief = session.copy_of_belief();
    }
    // Not under the lock: an event of this user must not wait for the model.
    score(snapshot, state);
    sessions_.keep_candidates(state.session, state.event_number, state.candidates);
    return state;
}

void Engine::score(const Snapshot& snapshot, UserState& state) {
    const auto keep = kept_rows(options_.policy);
    auto scored = score_candidates(snapshot, items_, state.view(), state.taste(), {.keep = keep});
    scored.event_number = state.event_number;
    if (needs_signals(state.knobs)) {
        scored.signals =
            signals_of(snapshot, items_, state.view(), state.taste().belief, scored.best);
    }
    state.candidates = std::make_shared<Candidates>(std::move(scored));
    figures_.candidates_scored += 1;
}

void Engine::log_impression(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const Pool& pool,
    const std::string& policy,
    const policy::Slate& slate,
    const std::string& id
) {
    data::Impression impression{
        .recommendation_id = id,
        .user_id = request.user_id,
        .time = clock_.now(),
        .model = snapshot.run.name,
        .policy = policy,
        .context = request.context,
        .propensity = slate.propensity,
        .is_deterministic = slate.deterministic,
        .masks = masks_text(request),
    };
    if (state.session != nullptr) {
        impression.last_event = state.last_event;
        impression.wishes = UserSettings{.knobs = state.edits, .wishes = state.wishes}.text();
    }
    {
        const auto items = items_.read();
        for (const auto& slot : slate.slots) {
            impression.slots.push_back({
                .item_id = items.id(slot.item),
                .score = static_cast<double>(slot.score),
                .propensity = slot.propensity,
                .is_explored = slot.explored,
            });
        }
    }
    impression.candidates = pool.text->candidates;
    impression.candidate_set = pool.text->digest;
    store_.log_impression(std::move(impression));
}

std::string Engine::slate_text(
    const Snapshot& snapshot,
    const RecommendRequest& request,
    const UserState& state,
    const Pool& pool,
    const policy::PlackettLuceOptions& options
) {
    const policy::PlackettLuce policy{options};
    const auto version = policy::to_text(
        {.options = options,
         .knobs = pool.knobs,
         .chosen_by = std::string{snapshot.admitted.knobs->version()}}
    );
    const auto id = make_recommendation_id(clock_.now());
    Rng rng{id.seed};
    auto slate = policy.act(pool.rows, request.k, rng);
    const auto greedy = std::span{pool.greedy}.first(std::min(request.k, pool.greedy.size()));
    for (auto& slot : slate.slots) {
        slot.explored = std::ranges::find(greedy, slot.item) == greedy.end();
    }
    std::vector<ItemRow> shown;
    for (const auto& slot : slate.slots) {
        shown.push_back(slot.item);
    }
    const auto reasons = reasons_for(
        snapshot, items_, pool.view(), shown, request.explain ? Explain::yes : Explain::no
    );
    log_impression(snapshot, request, state, pool, version, slate, id.text);
    return json_of({
        .slots = slate.slots,
        .reasons = reasons,
        .model = snapshot.run.name,
        .policy = version,
        .recommendation_id = id.text,
        .items = items_.read(),
    });
}

Result<std::string> Engine::recommend(const RecommendRequest& request) {
    const auto snapshot = snapshot_.get();
    HG_CHECK(snapshot != nullptr, "publish() comes before requests");
    HG_TRY(const auto state, state_of(*snapshot, request));
    const auto options = for_slate_of(options_.policy, request.k);
    const auto pool = pool_of(*snapshot, request, state, options);
    figures_.recommendations += 1;
    return slate_text(*snapshot, request, state, pool, options);
}

}  // namespace hg::serve
