// SPDX-License-Identifier: Apache-2.0
// The SQL of the event store: every write (on the writer's connection) and every read (on a
// reader's).
//
// Private to stores/. Not thread-safe: one object, one connection, one thread at a time.
#pragma once

#include "data/event_store.hpp"
#include "data/stores/sqlite_database.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace hg::data {

class SqliteWrites {
  public:
    SqliteWrites(const SqliteDatabase& database, std::string tenant);

    [[nodiscard]] EventOutcome append(
        const NewEvent& event, const std::string& digest, TimeMs arrival
    );
    void put_item(std::string_view item_id, std::string_view fields, TimeMs now);
    [[nodiscard]] bool delete_item(std::string_view item_id, TimeMs now);
    void put_user(std::string_view user_id, std::string_view fields, TimeMs now);
    [[nodiscard]] EventStore::Erased delete_user(std::string_view user_id, TimeMs now);
    void put_user_settings(std::string_view user_id, std::string_view settings, TimeMs now);
    [[nodiscard]] std::optional<std::string> delete_event(
        std::string_view user_id, std::string_view event_id
    );
    void log_impression(const Impression& impression);

  private:
    [[nodiscard]] EventOutcome compare(const NewEvent& event, const std::string& digest);
    void count_item(std::string_view item_id, TimeMs now);
    std::int64_t run_for_user(SqliteStatement& statement, std::string_view user_id);

    const SqliteDatabase& database_;
    std::string tenant_;
    SqliteStatement insert_event_;
    SqliteStatement find_event_;
    SqliteStatement count_item_;
    SqliteStatement stub_user_;
    SqliteStatement put_item_;
    SqliteStatement delete_item_;
    SqliteStatement put_user_;
    SqliteStatement put_user_settings_;
    SqliteStatement delete_user_settings_;
    SqliteStatement item_of_event_;
    SqliteStatement uncount_item_;
    SqliteStatement delete_event_;
    SqliteStatement insert_impression_;
    SqliteStatement items_of_user_;
    SqliteStatement uncount_items_;
    SqliteStatement delete_events_;
    SqliteStatement delete_impressions_;
    SqliteStatement delete_user_;
    SqliteStatement erase_user_;
    /// When users were erased since this began: a slate from before may still come.
    std::unordered_map<std::string, TimeMs> erased_at_;
};

/// SELECT of the columns of impression_row(), ended by `rest`.
[[nodiscard]] std::string impressions_where(std::string_view rest);
[[nodiscard]] Impression impression_row(const SqliteStatement& row);

class SqliteReads {
  public:
    SqliteReads(const SqliteDatabase& database, std::string tenant);

    [[nodiscard]] std::vector<StoredEvent> last_events(
        std::string_view user_id, std::size_t limit, TimeMs until
    );
    [[nodiscard]] std::optional<ItemRecord> item(std::string_view item_id);
    [[nodiscard]] std::vector<ItemRecord> items();
    [[nodiscard]] std::vector<ItemRecord> popular(std::size_t limit);
    [[nodiscard]] std::vector<ItemRecord> latest(std::size_t limit);
    [[nodiscard]] std::optional<UserRecord> user(std::string_view user_id);
    [[nodiscard]] bool is_erased(std::string_view user_id);
    [[nodiscard]] std::optional<Impression> impression(std::string_view recommendation_id);
    [[nodiscard]] std::string user_settings(std::string_view user_id);
    [[nodiscard]] std::vector<SlotOutcome> slot_outcomes(
        std::size_t limit, const EventStore::IsClick& is_click
    );
    [[nodiscard]] StoreCounts counts();
    [[nodiscard]] std::vector<EventTypeCount> events_by_type();

  private:
    std::vector<ItemRecord> item_rows(SqliteStatement& statement);
    std::set<std::string> clicked_items(
        const std::string& recommendation_id, const EventStore::IsClick& is_click
    );

    std::string tenant_;
    SqliteStatement last_events_;
    SqliteStatement item_;
    SqliteStatement items_;
    SqliteStatement popular_;
    SqliteStatement latest_;
    SqliteStatement user_;
    SqliteStatement is_erased_;
    SqliteStatement impression_;
    SqliteStatement user_settings_;
    SqliteStatement slots_;
    SqliteStatement answers_;
    SqliteStatement counts_;
    SqliteStatement events_by_type_;
};

}  // namespace hg::data
