// SPDX-License-Identifier: Apache-2.0
// Engine: what the server does, without HTTP: recommend, take events, keep items and users.
//
// Thread-safe. Reads answer at once; writes answer after their commit, through `done`, on the
// store's thread.
//
//   Engine engine{options, dataset, store, clock};
//   engine.publish({.run = "runs/blend", .data = "movies"}, progress, stop);
//   auto slate = engine.recommend(request);
#pragma once

#include "core/clock.hpp"
#include "core/progress.hpp"
#include "data/dataset.hpp"
#include "data/event_store.hpp"
#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"
#include "serve/collection.hpp"
#include "serve/http/bodies.hpp"
#include "serve/item_table.hpp"
#include "serve/pool.hpp"
#include "serve/session.hpp"
#include "serve/snapshot.hpp"
#include "serve/user_settings.hpp"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::serve {

struct EngineOptions {
    policy::PlackettLuceOptions policy{};
    SessionOptions sessions{};
    CollectionOptions collection{};
};

/// What has been done so far, for /metrics and /v1/status.
struct EngineFigures {
    std::atomic<std::uint64_t> recommendations = 0;
    std::atomic<std::uint64_t> candidates_reused = 0;
    std::atomic<std::uint64_t> candidates_scored = 0;
    std::atomic<std::uint64_t> events_stored = 0;
    std::atomic<std::uint64_t> events_duplicate = 0;
    std::atomic<std::uint64_t> events_conflict = 0;
    std::atomic<std::uint64_t> events_invalid = 0;
    std::atomic<std::uint64_t> reloads = 0;
    std::atomic<std::uint64_t> reloads_refused = 0;
};

class Engine {
  public:
    template <typename T>
    using Done = data::EventStore::Done<T>;

    /// Reads what the store knows of items. Throws Error. The references outlive the engine.
    Engine(
        EngineOptions options,
        std::shared_ptr<const data::Dataset> dataset,
        data::EventStore& store,
        const Clock& clock
    );

    /// Loads a run and serves it from the next request on; on Error the old one stays.
    void publish(const SnapshotSource& source, ProgressSink& progress, const std::stop_token& stop);

    /// Whether a learned policy chooses the knobs of what is published.
    [[nodiscard]] bool is_led() const;

    /// The slate as JSON text (the schema Recommendation).
    [[nodiscard]] Result<std::string> recommend(const RecommendRequest& request);

    /// {"results": [{"event_id", "status"}, ...]} in the order of the rows.
    void append(std::vector<EventRow> rows, Done<nlohmann::json> done);

    void put_item(const std::string& id, nlohmann::json fields, Done<void> done);
    /// Merges into the item's fields; null removes one. not_found when there is no such item.
    void patch_item(const std::string& id, const nlohmann::json& changes, Done<void> done);
    void delete_item(const std::string& id, Done<void> done);
    void put_user(const std::string& id, const nlohmann::json& fields, Done<void> done);
    void delete_user(const std::string& id, Done<void> done);

    /// Knobs of this user by hand; empty edits give them back to the policy.
    void put_knobs(const std::string& id, const KnobEdits& edits, Done<void> done);
    /// Wishes of this user, all of them; an empty list takes them back. invalid_argument when the
    /// catalogue has no such trait.
    void put_wishes(const std::string& id, std::vector<TraitWish> wishes, Done<void> done);
    /// As if it had not happened: also an event of the dataset ("dataset:17"). not_found when there
    /// is none.
    void forget_event(const std::string& id, const std::string& event_id, Done<void> done);

    [[nodiscard]] Result<nlohmann::json> item(const std::string& id) const;
    [[nodiscard]] Result<nlohmann::json> similar(const std::string& id, std::size_t k) const;
    [[nodiscard]] Result<nlohmann::json> user(const std::string& id, std::size_t n_events);
    [[nodiscard]] nlohmann::json popular(std::size_t k) const;
    [[nodiscard]] nlohmann::json latest(std::size_t k) const;
    /// What to ask a newcomer for, the most telling first; the popular ones where there is no belief.
    [[nodiscard]] nlohmann::json onboarding(std::size_t k) const;
    [[nodiscard]] Result<nlohmann::json> status() const;
    /// Some users of the dataset, for the page to start with.
    [[nodiscard]] nlohmann::json sample_users(std::size_t n) const;

    [[nodiscard]] const EngineFigures& figures() const noexcept { return figures_; }

    [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

  private:
    struct UserState;
    struct Pool;

    [[nodiscard]] Result<UserState> state_of(
        const Snapshot& snapshot, const RecommendRequest& request
    );
    [[nodiscard]] std::vector<UserEvent> events_of(const RecommendRequest& request);
    [[nodiscard]] Pool pool_of(
        const Snapshot& snapshot,
        const RecommendRequest& request,
        const UserState& state,
        const policy::PlackettLuceOptions& options
    );
    /// Whether the order after the knobs serves the user's next request too: nothing but what was
    /// seen is masked.
    [[nodiscard]] static bool may_keep_order(
        const RecommendRequest& request, const UserState& state
    );
    /// Into the pool; whether there was one.
    [[nodiscard]] static bool find_kept_order(const UserState& state, std::size_t size, Pool& pool);
    static void keep_order(const UserState& state, const Pool& pool);
    [[nodiscard]] PoolRows allowed_rows(
        const RecommendRequest& request,
        const Candidates& candidates,
        const RowSet& seen,
        std::size_t wanted
    ) const;
    [[nodiscard]] PoolRows rows_of_more(
        const Snapshot& snapshot,
        const RecommendRequest& request,
        const UserState& state,
        const Taste& taste,
        const Pool& pool,
        std::size_t wanted
    );
    [[nodiscard]] std::string slate_text(
        const Snapshot& snapshot,
        const RecommendRequest& request,
        const UserState& state,
        const Pool& pool,
        const policy::PlackettLuceOptions& options
    );
    void log_impression(
        const Snapshot& snapshot,
        const RecommendRequest& request,
        const UserState& state,
        const Pool& pool,
        const std::string& policy,
        const policy::Slate& slate,
        const std::string& id
    );
    void score(const Snapshot& snapshot, UserState& state);
    void change_settings(
        const std::string& id, const std::function<void(UserSettings&)>& change, Done<void> done
    );
    void forget_dataset_event(const std::string& id, std::size_t index, Done<void> done);
    [[nodiscard]] nlohmann::json knobs_json(const Snapshot& snapshot, const Session& session) const;
    [[nodiscard]] nlohmann::json history_json(
        const Session& session, const std::vector<data::StoredEvent>& stored
    ) const;
    void encode_one(ItemRow row, const nlohmann::json& fields);
    void store_item(const std::string& id, nlohmann::json fields, Done<void> done);
    [[nodiscard]] nlohmann::json item_rows(const std::vector<ItemRow>& rows) const;

    EngineOptions options_;
    std::shared_ptr<const data::Dataset> dataset_;
    data::EventStore& store_;
    const Clock& clock_;
    ItemTable items_;
    Sessions sessions_;
    PublishedSnapshot snapshot_;
    std::mutex publish_mutex_;
    std::mutex item_mutex_;      // one change of an item at a time: PATCH reads, then writes
    std::mutex settings_mutex_;  // likewise of the settings of users
    mutable CollectionReport collection_;
    std::atomic<std::uint64_t> snapshot_number_ = 0;
    EngineFigures figures_;
    TimeMs started_;
};

}  // namespace hg::serve
