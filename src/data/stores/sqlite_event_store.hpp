// SPDX-License-Identifier: Apache-2.0
// SqliteEventStore: the embedded EventStore: one SQLite file in WAL mode, synchronous=FULL.
//
// One writer thread takes everything that waits and commits it as one transaction, so the cost of a
// sync is shared (a sync takes milliseconds, a row microseconds). Readers have their own
// connections and never wait for the writer. A lock file keeps a second server away from the same
// database.
//
//   SqliteEventStore store{{.file = "events.db"}};
#pragma once

#include "data/event_store.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace hg::data {

struct SqliteStoreOptions {
    /// `off` loses acknowledged events when the power fails: it exists so that the power-loss test
    /// can show that it would notice.
    enum class Synchronous : std::uint8_t { full, off };

    std::filesystem::path file;
    std::string tenant = "default";
    Synchronous synchronous = Synchronous::full;
    std::string vfs{};  // a registered SQLite VFS, for tests; empty = the default
    std::size_t max_waiting_impressions = 50'000;
    int checkpoint_pages = 4000;  // the log is copied into the database when it is this long
};

/// What the writer has done so far, for /metrics.
struct CommitFigures {
    std::uint64_t commits = 0;
    std::uint64_t jobs = 0;
    std::uint64_t failures = 0;
    std::uint64_t dropped_impressions = 0;
    double seconds = 0;  // spent in transactions
};

class SqliteEventStore final : public EventStore {
  public:
    /// Opens or creates, migrates, starts the writer. Throws Error.
    explicit SqliteEventStore(SqliteStoreOptions options);
    SqliteEventStore(const SqliteEventStore&) = delete;
    SqliteEventStore& operator=(const SqliteEventStore&) = delete;
    SqliteEventStore(SqliteEventStore&&) = delete;
    SqliteEventStore& operator=(SqliteEventStore&&) = delete;
    /// Commits what waits, then closes.
    ~SqliteEventStore() override;

    void append_events(
        std::vector<NewEvent> events, TimeMs arrival, Done<std::vector<EventOutcome>> done
    ) override;
    void put_item(std::string item_id, std::string fields, TimeMs now, Done<void> done) override;
    void delete_item(std::string item_id, TimeMs now, Done<bool> done) override;
    void put_user(std::string user_id, std::string fields, TimeMs now, Done<void> done) override;
    void delete_user(std::string user_id, TimeMs now, Done<Erased> done) override;
    void put_user_settings(std::string user_id, std::string settings, TimeMs now, Done<void> done)
        override;
    void delete_event(
        std::string user_id, std::string event_id, Done<std::optional<std::string>> done
    ) override;
    void log_impression(Impression impression) override;
    void flush() override;

    [[nodiscard]] Result<std::vector<StoredEvent>> last_events(
        std::string_view user_id, std::size_t limit, TimeMs until
    ) const override;
    [[nodiscard]] Result<std::optional<ItemRecord>> item(std::string_view item_id) const override;
    [[nodiscard]] Result<std::vector<ItemRecord>> items() const override;
    [[nodiscard]] Result<std::vector<ItemRecord>> popular(std::size_t limit) const override;
    [[nodiscard]] Result<std::vector<ItemRecord>> latest(std::size_t limit) const override;
    [[nodiscard]] Result<std::optional<UserRecord>> user(std::string_view user_id) const override;
    [[nodiscard]] Result<bool> is_erased(std::string_view user_id) const override;
    [[nodiscard]] Result<std::optional<Impression>> impression(std::string_view recommendation_id
    ) const override;
    [[nodiscard]] Result<std::string> user_settings(std::string_view user_id) const override;
    [[nodiscard]] Result<std::vector<SlotOutcome>> slot_outcomes(
        std::size_t limit, const IsClick& is_click
    ) const override;
    [[nodiscard]] Result<StoreCounts> counts() const override;
    [[nodiscard]] Result<std::vector<EventTypeCount>> events_by_type() const override;

    [[nodiscard]] CommitFigures figures() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace hg::data
