// SPDX-License-Identifier: Apache-2.0
#include "core/digest.hpp"
#include "data/stores/sqlite_statements.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace hg::data {
namespace {

constexpr auto item_columns =
    "SELECT item_id, fields, created, updated, n_events, is_stub, is_deleted FROM items ";

std::string items_where(std::string_view rest) {
    return item_columns + std::string{rest};
}

std::int64_t sql_limit(std::size_t limit) {
    constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    return limit > largest ? -1 : static_cast<std::int64_t>(limit);
}

/// The database has no checksums of its own: without this a flipped bit would be another event.
void check_digest(const StoredEvent& event, const std::string& digest) {
    if (body_digest(event.body) == digest) {
        return;
    }
    if (event.body.value == 0) {  // SQLite keeps no sign of zero, the digest does
        auto body = event.body;
        body.value = -0.0;
        if (body_digest(body) == digest) {
            return;
        }
    }
    throw Error{
        ErrorCode::corrupt,
        fmt::format(
            "the database is damaged: event {} (\"{}\") differs from its digest",
            event.sequence,
            event.body.event_id
        ),
        "restore the database from a backup",
    };
}

StoredEvent event_row(const SqliteStatement& row) {
    StoredEvent event;
    event.sequence = row.integer(0);
    event.timestamp = row.integer(1);
    auto& body = event.body;
    body.event_id = row.text(2);
    body.user_id = row.text(3);
    body.item_id = row.text(4);
    body.event = row.text(5);
    if (!row.is_null(6)) {
        body.value = row.real(6);
    }
    if (row.integer(7) != 0) {
        body.timestamp = event.timestamp;
    }
    body.recommendation_id = row.text(8);
    if (!row.is_null(9)) {
        body.position = row.integer(9);
    }
    body.context = row.text(10);
    check_digest(event, row.text(11));
    return event;
}

}  // namespace

std::string impressions_where(std::string_view rest) {
    constexpr auto columns =
        "SELECT recommendation_id, user_id, time, model, policy, candidate_set, candidates, "
        "context, propensity, is_deterministic, slots, masks, last_event, wishes FROM impressions ";
    return columns + std::string{rest};
}

Impression impression_row(const SqliteStatement& row) {
    Impression found{
        .recommendation_id = row.text(0),
        .user_id = row.text(1),
        .time = row.integer(2),
        .model = row.text(3),
        .policy = row.text(4),
        .candidate_set = row.text(5),
        .candidates = row.text(6),
        .context = row.text(7),
        .propensity = row.real(8),
        .is_deterministic = row.integer(9) != 0,
        .masks = row.text(11),
    };
    for (const auto& slot : nlohmann::json::parse(row.text(10))) {
        found.slots.push_back({
            .item_id = slot.at(0).get<std::string>(),
            .score = slot.at(1).get<double>(),
            .propensity = slot.at(2).get<double>(),
            .is_explored = slot.size() > 3,
        });
    }
    if (!row.is_null(12)) {
        found.last_event = row.integer(12);
    }
    found.wishes = row.text(13);
    return found;
}

SqliteReads::SqliteReads(const SqliteDatabase& database, std::string tenant)
    : tenant_(std::move(tenant)),
      last_events_(
          database,
          "SELECT sequence, timestamp, event_id, user_id, item_id, event, value, has_timestamp,"
          " recommendation_id, position, context, digest FROM events WHERE tenant = ? AND user_id "
          "= ?"
          " AND timestamp <= ? ORDER BY timestamp DESC, sequence DESC LIMIT ?"
      ),
      item_(database, items_where("WHERE tenant = ? AND item_id = ?").c_str()),
      items_(database, items_where("WHERE tenant = ? ORDER BY item_id").c_str()),
      popular_(
          database,
          items_where("WHERE tenant = ? AND is_deleted = 0 ORDER BY n_events DESC, item_id LIMIT ?")
              .c_str()
      ),
      latest_(
          database,
          items_where("WHERE tenant = ? AND is_stub = 0 AND is_deleted = 0 ORDER BY updated DESC, "
                      "item_id LIMIT ?")
              .c_str()
      ),
      user_(
          database,
          "SELECT user_id, fields, created, updated FROM users WHERE tenant = ? AND user_id = ?"
      ),
      is_erased_(database, "SELECT 1 FROM erased_users WHERE tenant = ? AND user_digest = ?"),
      impression_(
          database, impressions_where("WHERE tenant = ? AND recommendation_id = ?").c_str()
      ),
      user_settings_(
          database, "SELECT settings FROM user_settings WHERE tenant = ? AND user_id = ?"
      ),
      slots_(
          database,
          "SELECT recommendation_id, time, slots, json_array_length(candidates) FROM impressions"
          " WHERE tenant = ? AND is_deterministic = 0 ORDER BY sequence DESC LIMIT ?"
      ),
      answers_(
          database, "SELECT item_id, event FROM events WHERE tenant = ? AND recommendation_id = ?"
      ),
      counts_(
          database,
          "SELECT (SELECT COUNT(*) FROM users WHERE tenant = ?1), (SELECT COUNT(*) FROM items WHERE"
          " tenant = ?1), (SELECT COUNT(*) FROM events WHERE tenant = ?1), (SELECT COUNT(*) FROM"
          " impressions WHERE tenant = ?1)"
      ),
      events_by_type_(
          database,
          "SELECT event, COUNT(*) FROM events WHERE tenant = ? GROUP BY event ORDER BY 2 DESC, 1"
      ) {}

std::vector<StoredEvent> SqliteReads::last_events(
    std::string_view user_id, std::size_t limit, TimeMs until
) {
    last_events_.bind(1, tenant_);
    last_events_.bind(2, user_id);
    last_events_.bind(3, until);
    last_events_.bind(4, sql_limit(limit));
    const SqliteReset reset{last_events_};
    std::vector<StoredEvent> events;
    while (last_events_.step()) {
        events.push_back(event_row(last_events_));
    }
    std::ranges::reverse(events);
    return events;
}

std::vector<ItemRecord> SqliteReads::item_rows(SqliteStatement& statement) {
    const SqliteReset reset{statement};
    std::vector<ItemRecord> rows;
    while (statement.step()) {
        rows.push_back({
            .item_id = statement.text(0),
            .fields = statement.text(1),
            .created = statement.integer(2),
            .updated = statement.integer(3),
            .n_events = statement.integer(4),
            .is_stub = statement.integer(5) != 0,
            .is_deleted = statement.integer(6) != 0,
        });
    }
    return rows;
}

std::optional<ItemRecord> SqliteReads::item(std::string_view item_id) {
    item_.bind(1, tenant_);
    item_.bind(2, item_id);
    auto rows = item_rows(item_);
    if (rows.empty()) {
        return std::nullopt;
    }
    return std::move(rows.front());
}

std::vector<ItemRecord> SqliteReads::items() {
    items_.bind(1, tenant_);
    return item_rows(items_);
}

std::vector<ItemRecord> SqliteReads::popular(std::size_t limit) {
    popular_.bind(1, tenant_);
    popular_.bind(2, sql_limit(limit));
    return item_rows(popular_);
}

std::vector<ItemRecord> SqliteReads::latest(std::size_t limit) {
    latest_.bind(1, tenant_);
    latest_.bind(2, sql_limit(limit));
    return item_rows(latest_);
}

std::optional<UserRecord> SqliteReads::user(std::string_view user_id) {
    user_.bind(1, tenant_);
    user_.bind(2, user_id);
    const SqliteReset reset{user_};
    if (!user_.step()) {
        return std::nullopt;
    }
    return UserRecord{
        .user_id = user_.text(0),
        .fields = user_.text(1),
        .created = user_.integer(2),
        .updated = user_.integer(3),
    };
}

bool SqliteReads::is_erased(std::string_view user_id) {
    const auto digest = digest_hex(user_id);
    is_erased_.bind(1, tenant_);
    is_erased_.bind(2, digest);
    const SqliteReset reset{is_erased_};
    return is_erased_.step();
}

std::optional<Impression> SqliteReads::impression(std::string_view recommendation_id) {
    impression_.bind(1, tenant_);
    impression_.bind(2, recommendation_id);
    const SqliteReset reset{impression_};
    if (!impression_.step()) {
        return std::nullopt;
    }
    return impression_row(impression_);
}

std::string SqliteReads::user_settings(std::string_view user_id) {
    user_settings_.bind(1, tenant_);
    user_settings_.bind(2, user_id);
    const SqliteReset reset{user_settings_};
    return user_settings_.step() ? user_settings_.text(0) : std::string{};
}

std::set<std::string> SqliteReads::clicked_items(
    const std::string& recommendation_id, const EventStore::IsClick& is_click
) {
    answers_.bind(1, tenant_);
    answers_.bind(2, recommendation_id);
    const SqliteReset reset{answers_};
    std::set<std::string> items;
    while (answers_.step()) {
        if (is_click(answers_.text(1))) {
            items.insert(answers_.text(0));
        }
    }
    return items;
}

std::vector<SlotOutcome> SqliteReads::slot_outcomes(
    std::size_t limit, const EventStore::IsClick& is_click
) {
    slots_.bind(1, tenant_);
    slots_.bind(2, sql_limit(limit));
    const SqliteReset reset{slots_};
    std::vector<SlotOutcome> outcomes;
    while (slots_.step()) {
        const auto clicked = clicked_items(slots_.text(0), is_click);
        auto n_left = slots_.integer(3);
        for (const auto& slot : nlohmann::json::parse(slots_.text(2))) {
            outcomes.push_back({
                .time = slots_.integer(1),
                .propensity = slot.at(2).get<double>(),
                .uniform = n_left > 0 ? 1.0 / static_cast<double>(n_left) : 0.0,
                .is_clicked = clicked.contains(slot.at(0).get<std::string>()),
            });
            --n_left;
        }
    }
    return outcomes;
}

StoreCounts SqliteReads::counts() {
    counts_.bind(1, tenant_);
    const SqliteReset reset{counts_};
    counts_.step();
    return {
        .users = counts_.integer(0),
        .items = counts_.integer(1),
        .events = counts_.integer(2),
        .impressions = counts_.integer(3),
    };
}

std::vector<EventTypeCount> SqliteReads::events_by_type() {
    events_by_type_.bind(1, tenant_);
    const SqliteReset reset{events_by_type_};
    std::vector<EventTypeCount> rows;
    while (events_by_type_.step()) {
        rows.push_back({.event = events_by_type_.text(0), .n_events = events_by_type_.integer(1)});
    }
    return rows;
}

}  // namespace hg::data
