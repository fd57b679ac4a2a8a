// SPDX-License-Identifier: Apache-2.0
// Session: what the server keeps of one user between requests: the last events, what was seen, the
// belief and the scored candidates. A cache: everything in it is rebuilt from the dataset and the
// store. Most of its memory are candidates and belief: only the sessions that were scored last have
// them, and what few users have is a pointer.
//
// Read-your-writes: an event is applied to the session after its commit and before it is
// acknowledged. A session is put into the cache empty and then filled under its lock, so an event
// that commits meanwhile is either in what was read (its sequence tells) or applied afterwards;
// never lost, never twice.
//
//   HG_TRY(auto session, sessions.open(snapshot, "u1"));  // hold session->mutex to look inside
//   sessions.apply(snapshot, event, time, sequence);      // of a stored event
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "data/attributes.hpp"
#include "data/dataset.hpp"
#include "data/event_store.hpp"
#include "data/event_weights.hpp"
#include "policy/belief.hpp"
#include "serve/item_table.hpp"
#include "serve/lru_cache.hpp"
#include "serve/row_set.hpp"
#include "serve/scoring.hpp"
#include "serve/snapshot.hpp"
#include "serve/user_attributes.hpp"
#include "serve/user_settings.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hg::serve {

struct CandidatesText;

/// The order after the knobs, for requests that mask nothing more than what was seen.
struct Ranked {
    std::shared_ptr<const Candidates> candidates{};  // what it was made of
    policy::Knobs knobs{};
    std::vector<Scored> rows{};                    // best first
    std::vector<ItemRow> greedy{};                 // the same number of rows by the ranker alone
    std::shared_ptr<const CandidatesText> text{};  // of the rows, as impressions tell them
};

struct Session {
    std::mutex mutex;  // of everything below
    bool is_loaded = false;
    std::vector<UserEvent> events;  // the last ones, oldest first
    data::Attributes attributes;    // of the dataset, and over them what was put by HTTP
    RowSet seen;
    std::size_t history_size = 0;    // of all events, also those no longer in `events`
    std::uint64_t event_number = 0;  // grows with every change of the above
    std::int64_t sequence = 0;       // of the last stored event in here
    TimeMs pending_from = data::EventStore::forever;  // an event of the future: load again then
    std::unique_ptr<policy::Belief> belief;           // null when the model has no prior
    std::shared_ptr<const UserSettings> settings = no_settings();  // what the user asked for
    std::shared_ptr<const Candidates> candidates;                  // of the newest scoring
    std::shared_ptr<const Ranked> ranked;                          // of those, or of older ones
    std::uint64_t scoring = 0;  // which of all scorings the newest was

    [[nodiscard]] UserView view() const noexcept { return {events, attributes.view()}; }

    [[nodiscard]] std::optional<policy::Belief> copy_of_belief() const {
        return belief ? std::optional{*belief} : std::nullopt;
    }
};

struct SessionOptions {
    std::size_t max_sessions = 20'000;
    std::size_t max_scored = 20'000;  // of them with candidates and belief: most of the memory
    std::size_t max_history = 200;    // events a model is shown
};

/// What is kept of a user beside the dataset.
struct StoredUser {
    DatasetHistory dataset_history = DatasetHistory::include;
    std::string fields{};  // put by HTTP: a JSON object, or empty
    UserSettings settings{};
    std::vector<const data::StoredEvent*> events{};  // by (timestamp, arrival); borrowed
};

/// What is known of a user -> the events of a session. The server and the replay of its decisions
/// (replay.hpp) read histories by it.
class HistoryReader {
  public:
    /// `items` outlives it.
    HistoryReader(ItemTable& items, std::size_t max_history);

    /// Starts the session anew: attributes and settings, the dataset's events without the forgotten
    /// ones, then the stored ones that have happened by `now`; those of the future stay pending.
    void fill(Session& session, const std::string& user_id, const StoredUser& stored, TimeMs now)
        const;

    void append(Session& session, const UserEvent& event) const;

    [[nodiscard]] UserEvent to_user_event(const data::NewEvent& event, TimeMs time, ItemRow row)
        const;

    /// How much an event counts, by its name.
    [[nodiscard]] const data::EventWeights& weights() const noexcept { return weights_; }

  private:
    void add_dataset_history(Session& session, const std::string& user_id) const;

    ItemTable& items_;
    std::size_t max_history_;
    data::EventWeights weights_;
};

class Sessions {
  public:
    /// The references outlive it.
    Sessions(
        SessionOptions options, ItemTable& items, const data::EventStore& store, const Clock& clock
    );

    /// The user's session, loaded and with a belief in the snapshot's space.
    [[nodiscard]] Result<std::shared_ptr<Session>> open(
        const Snapshot& snapshot, const std::string& user_id
    );

    /// A stored event reaches its session, if that is in the cache. Call before acknowledging.
    void apply(
        const Snapshot& snapshot, const data::NewEvent& event, TimeMs time, std::int64_t sequence
    );

    /// The session got these candidates, unless it has changed since (`event_number`). Of the session
    /// that was scored longest ago candidates and belief may be dropped: its next request makes
    /// them again.
    void keep_candidates(
        const std::shared_ptr<Session>& session,
        std::uint64_t event_number,
        std::shared_ptr<const Candidates> candidates
    );

    /// After the user was erased or described anew: the next request loads the session again.
    void forget(const std::string& user_id) { cache_.erase(user_id); }

    [[nodiscard]] const HistoryReader& reader() const noexcept { return reader_; }

    /// What is known of a user beside events: the dataset's fields, and over them what was put by
    /// HTTP; nothing of the dataset once erased.
    [[nodiscard]] Result<nlohmann::json> fields_of(const std::string& user_id) const;

    [[nodiscard]] std::size_t size() const { return cache_.size(); }

    [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }

  private:
    /// A session and the number of its scoring: an older one of the same session says nothing.
    struct Scoring {
        std::weak_ptr<Session> session;
        std::uint64_t number = 0;
    };

    [[nodiscard]] Result<void> load(Session& session, const std::string& user_id);

    SessionOptions options_;
    ItemTable& items_;
    const data::EventStore& store_;
    const Clock& clock_;
    HistoryReader reader_;
    LruCache<Session> cache_;
    std::mutex scored_mutex_;
    std::deque<Scoring> scored_;  // oldest first
    std::atomic<std::uint64_t> n_scorings_ = 0;
};

}  // namespace hg::serve
