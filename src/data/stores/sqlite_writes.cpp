// SPDX-License-Identifier: Apache-2.0
#include "core/digest.hpp"
#include "data/stores/sqlite_statements.hpp"

#include <nlohmann/json.hpp>

namespace hg::data {
namespace {

std::string slots_json(const std::vector<ImpressionSlot>& slots) {
    auto rows = nlohmann::json::array();
    for (const auto& slot : slots) {
        rows.push_back({slot.item_id, slot.score, slot.propensity});
        if (slot.is_explored) {
            rows.back().push_back(1);
        }
    }
    return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

SqliteWrites::SqliteWrites(const SqliteDatabase& database, std::string tenant)
    : database_(database),
      tenant_(std::move(tenant)),
      insert_event_(
          database,
          "INSERT INTO events(tenant, event_id, user_id, item_id, event, value, timestamp, "
          "has_timestamp,"
          " recommendation_id, position, context, digest) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"
          " ON CONFLICT(tenant, event_id) DO NOTHING"
      ),
      find_event_(
          database, "SELECT sequence, digest FROM events WHERE tenant = ? AND event_id = ?"
      ),
      count_item_(
          database,
          "INSERT INTO items VALUES(?, ?, '{}', ?, ?, 1, 1, 0)"
          " ON CONFLICT(tenant, item_id) DO UPDATE SET n_events = n_events + 1"
      ),
      stub_user_(
          database,
          "INSERT INTO users VALUES(?, ?, '{}', ?, ?) ON CONFLICT(tenant, user_id) DO NOTHING"
      ),
      put_item_(
          database,
          "INSERT INTO items VALUES(?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT(tenant, item_id) DO UPDATE "
          "SET"
          " created = CASE WHEN is_stub THEN excluded.created ELSE created END,"
          " fields = excluded.fields, updated = excluded.updated, is_stub = 0, is_deleted = 0"
      ),
      delete_item_(
          database,
          "INSERT INTO items VALUES(?, ?, '{}', ?, ?, 0, 1, 1) ON CONFLICT(tenant, item_id) DO "
          "UPDATE SET"
          " updated = excluded.updated, is_deleted = 1"
      ),
      put_user_(
          database,
          "INSERT INTO users VALUES(?, ?, ?, ?, ?) ON CONFLICT(tenant, user_id) DO UPDATE SET"
          " fields = excluded.fields, updated = excluded.updated"
      ),
      put_user_settings_(
          database,
          "INSERT INTO user_settings VALUES(?1, ?2, ?3, ?4) ON CONFLICT(tenant, user_id) DO UPDATE"
          " SET settings = excluded.settings, updated = excluded.updated"
      ),
      delete_user_settings_(
          database, "DELETE FROM user_settings WHERE tenant = ?1 AND user_id = ?2"
      ),
      item_of_event_(
          database,
          "SELECT item_id FROM events WHERE tenant = ?1 AND user_id = ?2 AND event_id = ?3"
      ),
      uncount_item_(
          database, "UPDATE items SET n_events = n_events - 1 WHERE tenant = ?1 AND item_id = ?2"
      ),
      delete_event_(
          database, "DELETE FROM events WHERE tenant = ?1 AND user_id = ?2 AND event_id = ?3"
      ),
      insert_impression_(
          database,
          "INSERT INTO impressions(tenant, recommendation_id, user_id, time, model, policy, "
          "candidate_set,"
          " candidates, context, propensity, is_deterministic, slots, masks, last_event, wishes) "
          "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
          " ON CONFLICT(tenant, recommendation_id) DO NOTHING"
      ),
      items_of_user_(database, "SELECT item_id FROM events WHERE tenant = ?1 AND user_id = ?2"),
      uncount_items_(
          database,
          "UPDATE items SET n_events = n_events - (SELECT COUNT(*) FROM events e WHERE e.tenant = "
          "?1 AND"
          " e.user_id = ?2 AND e.item_id = items.item_id) WHERE tenant = ?1 AND item_id IN"
          " (SELECT item_id FROM events WHERE tenant = ?1 AND user_id = ?2)"
      ),
      delete_events_(database, "DELETE FROM events WHERE tenant = ?1 AND user_id = ?2"),
      delete_impressions_(database, "DELETE FROM impressions WHERE tenant = ?1 AND user_id = ?2"),
      delete_user_(database, "DELETE FROM users WHERE tenant = ?1 AND user_id = ?2"),
      erase_user_(database, "INSERT OR IGNORE INTO erased_users VALUES(?1, ?2)") {}

EventOutcome SqliteWrites::append(
    const NewEvent& event, const std::string& digest, TimeMs arrival
) {
    auto& insert = insert_event_;
    insert.bind(1, tenant_);
    insert.bind(2, event.event_id);
    insert.bind(3, event.user_id);
    insert.bind(4, event.item_id);
    insert.bind(5, event.event);
    insert.bind(6, event.value);
    insert.bind(7, event.timestamp.value_or(arrival));
    insert.bind(8, std::int64_t{event.timestamp.has_value()});
    insert.bind_optional(9, event.recommendation_id);
    insert.bind(10, event.position);
    insert.bind_optional(11, event.context);
    insert.bind(12, digest);
    insert.run();
    if (database_.changes() == 0) {
        return compare(event, digest);
    }
    const EventOutcome outcome{.status = EventStatus::stored, .sequence = database_.last_row_id()};
    count_item(event.item_id, arrival);
    stub_user_.bind(1, tenant_);
    stub_user_.bind(2, event.user_id);
    stub_user_.bind(3, arrival);
    stub_user_.bind(4, arrival);
    stub_user_.run();
    return outcome;
}

EventOutcome SqliteWrites::compare(const NewEvent& event, const std::string& digest) {
    find_event_.bind(1, tenant_);
    find_event_.bind(2, event.event_id);
    const SqliteReset reset{find_event_};
    HG_CHECK(find_event_.step(), "an event that was not inserted is there already");
    return {
        .status = find_event_.text(1) == digest ? EventStatus::duplicate : EventStatus::conflict,
        .sequence = find_event_.integer(0),
    };
}

void SqliteWrites::count_item(std::string_view item_id, TimeMs now) {
    count_item_.bind(1, tenant_);
    count_item_.bind(2, item_id);
    count_item_.bind(3, now);
    count_item_.bind(4, now);
    count_item_.run();
}

void SqliteWrites::put_item(std::string_view item_id, std::string_view fields, TimeMs now) {
    put_item_.bind(1, tenant_);
    put_item_.bind(2, item_id);
    put_item_.bind(3, fields);
    put_item_.bind(4, now);
    put_item_.bind(5, now);
    put_item_.run();
}

bool SqliteWrites::delete_item(std::string_view item_id, TimeMs now) {
    SqliteStatement find{
        database_, "SELECT 1 FROM items WHERE tenant = ? AND item_id = ? AND is_deleted = 0"
    };
    find.bind(1, tenant_);
    find.bind(2, item_id);
    const bool was_there = find.step();
    find.reset();
    delete_item_.bind(1, tenant_);
    delete_item_.bind(2, item_id);
    delete_item_.bind(3, now);
    delete_item_.bind(4, now);
    delete_item_.run();
    return was_there;
}

void SqliteWrites::put_user(std::string_view user_id, std::string_view fields, TimeMs now) {
    put_user_.bind(1, tenant_);
    put_user_.bind(2, user_id);
    put_user_.bind(3, fields);
    put_user_.bind(4, now);
    put_user_.bind(5, now);
    put_user_.run();
}

std::int64_t SqliteWrites::run_for_user(SqliteStatement& statement, std::string_view user_id) {
    statement.bind(1, tenant_);
    statement.bind(2, user_id);
    statement.run();
    return database_.changes();
}

EventStore::Erased SqliteWrites::delete_user(std::string_view user_id, TimeMs now) {
    std::vector<std::string> items;
    items_of_user_.bind(1, tenant_);
    items_of_user_.bind(2, user_id);
    {
        const SqliteReset reset{items_of_user_};
        while (items_of_user_.step()) {
            items.emplace_back(items_of_user_.text(0));
        }
    }
    run_for_user(uncount_items_, user_id);
    std::int64_t rows = run_for_user(delete_events_, user_id);
    rows += run_for_user(delete_impressions_, user_id);
    rows += run_for_user(delete_user_settings_, user_id);
    rows += run_for_user(delete_user_, user_id);
    const auto digest = digest_hex(user_id);
    run_for_user(erase_user_, digest);
    erased_at_[std::string{user_id}] = now;
    return rows > 0 ? std::optional{std::move(items)} : std::nullopt;
}

void SqliteWrites::put_user_settings(
    std::string_view user_id, std::string_view settings, TimeMs now
) {
    if (settings.empty()) {
        run_for_user(delete_user_settings_, user_id);
        return;
    }
    put_user_settings_.bind(1, tenant_);
    put_user_settings_.bind(2, user_id);
    put_user_settings_.bind(3, settings);
    put_user_settings_.bind(4, now);
    put_user_settings_.run();
}

std::optional<std::string> SqliteWrites::delete_event(
    std::string_view user_id, std::string_view event_id
) {
    const auto bind = [&](SqliteStatement& statement) {
        statement.bind(1, tenant_);
        statement.bind(2, user_id);
        statement.bind(3, event_id);
    };
    bind(item_of_event_);
    std::string item;
    {
        const SqliteReset reset{item_of_event_};
        if (!item_of_event_.step()) {
            return std::nullopt;
        }
        item = item_of_event_.text(0);
    }
    uncount_item_.bind(1, tenant_);
    uncount_item_.bind(2, item);
    uncount_item_.run();
    bind(delete_event_);
    delete_event_.run();
    return item;
}

void SqliteWrites::log_impression(const Impression& impression) {
    const auto erased = erased_at_.find(impression.user_id);
    if (erased != erased_at_.end() && impression.time <= erased->second) {
        return;  // its answer was on its way while the user was erased
    }
    const auto slots = slots_json(impression.slots);
    auto& insert = insert_impression_;
    insert.bind(1, tenant_);
    insert.bind(2, impression.recommendation_id);
    insert.bind(3, impression.user_id);
    insert.bind(4, impression.time);
    insert.bind(5, impression.model);
    insert.bind(6, impression.policy);
    insert.bind(7, impression.candidate_set);
    insert.bind(8, impression.candidates);
    insert.bind(9, impression.context);
    insert.bind(10, std::optional{impression.propensity});
    insert.bind(11, std::int64_t{impression.is_deterministic});
    insert.bind(12, slots);
    insert.bind(13, impression.masks);
    insert.bind(14, impression.last_event);
    insert.bind(15, impression.wishes);
    insert.run();
}

}  // namespace hg::data
