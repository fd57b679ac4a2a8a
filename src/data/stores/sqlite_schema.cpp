// SPDX-License-Identifier: Apache-2.0
#include "data/stores/sqlite_schema.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <array>

namespace hg::data {
namespace {

// The step at place n makes version n + 1.
// events.sequence is AUTOINCREMENT: never reused, so "all events after n" stays true after an
// erasure.
constexpr std::array steps{
    R"sql(
CREATE TABLE users(
  tenant TEXT NOT NULL, user_id TEXT NOT NULL, fields TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY(tenant, user_id)) WITHOUT ROWID;
CREATE TABLE items(
  tenant TEXT NOT NULL, item_id TEXT NOT NULL, fields TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, n_events INTEGER NOT NULL,
  is_stub INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
  PRIMARY KEY(tenant, item_id)) WITHOUT ROWID;
CREATE TABLE events(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL, event_id TEXT NOT NULL, user_id TEXT NOT NULL, item_id TEXT NOT NULL,
  event TEXT NOT NULL, value REAL, timestamp INTEGER NOT NULL, has_timestamp INTEGER NOT NULL,
  recommendation_id TEXT, position INTEGER, context TEXT, digest TEXT NOT NULL);
CREATE UNIQUE INDEX events_by_id ON events(tenant, event_id);
CREATE INDEX events_by_user ON events(tenant, user_id, timestamp, sequence);
CREATE TABLE impressions(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant TEXT NOT NULL, recommendation_id TEXT NOT NULL, user_id TEXT NOT NULL, time INTEGER NOT NULL,
  model TEXT NOT NULL, policy TEXT NOT NULL, candidate_set TEXT NOT NULL, candidates TEXT NOT NULL,
  context TEXT NOT NULL, propensity REAL NOT NULL, is_deterministic INTEGER NOT NULL, slots TEXT NOT NULL);
CREATE UNIQUE INDEX impressions_by_id ON impressions(tenant, recommendation_id);
CREATE INDEX impressions_by_user ON impressions(tenant, user_id);
CREATE TABLE beliefs(
  tenant TEXT NOT NULL, user_id TEXT NOT NULL, space_id TEXT NOT NULL, sequence INTEGER NOT NULL,
  data BLOB NOT NULL, PRIMARY KEY(tenant, user_id)) WITHOUT ROWID;
CREATE TABLE erased_users(
  tenant TEXT NOT NULL, user_digest TEXT NOT NULL, PRIMARY KEY(tenant, user_digest)) WITHOUT ROWID;
)sql",
    // What a person asked for; the answers to a slate.
    R"sql(
CREATE TABLE user_settings(
  tenant TEXT NOT NULL, user_id TEXT NOT NULL, settings TEXT NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY(tenant, user_id)) WITHOUT ROWID;
CREATE INDEX events_by_recommendation ON events(tenant, recommendation_id)
  WHERE recommendation_id IS NOT NULL;
)sql",
    // What another run needs to make the same decision again (served_log.hpp).
    R"sql(
ALTER TABLE impressions ADD COLUMN masks TEXT NOT NULL DEFAULT '';
ALTER TABLE impressions ADD COLUMN last_event INTEGER;
ALTER TABLE impressions ADD COLUMN wishes TEXT NOT NULL DEFAULT '';
)sql",
    // Beliefs are replayed from the events: never stored.
    R"sql(
DROP TABLE beliefs;
)sql",
};

}  // namespace

int schema_version() noexcept {
    return static_cast<int>(steps.size());
}

void migrate(SqliteDatabase& database) {
    const auto found = static_cast<int>(database.integer("PRAGMA user_version"));
    if (found > schema_version()) {
        throw Error{
            ErrorCode::conflict,
            fmt::format(
                "the database has schema version {}, this program knows {}", found, schema_version()
            ),
            "use the honeyguide that wrote it, or a newer one",
        };
    }
    for (int version = found; version < schema_version(); ++version) {
        database.execute("BEGIN IMMEDIATE");
        try {
            database.execute(steps.at(static_cast<std::size_t>(version)));
            database.execute(fmt::format("PRAGMA user_version = {}", version + 1).c_str());
            database.execute("COMMIT");
        } catch (...) {
            if (database.in_transaction()) {
                database.execute("ROLLBACK");
            }
            throw;
        }
    }
}

}  // namespace hg::data
