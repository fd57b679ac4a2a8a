// SPDX-License-Identifier: Apache-2.0
#include "serve/engine.hpp"

#include "core/log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::serve {

Engine::Engine(
    EngineOptions options,
    std::shared_ptr<const data::Dataset> dataset,
    data::EventStore& store,
    const Clock& clock
)
    : options_(std::move(options)),
      dataset_(std::move(dataset)),
      store_(store),
      clock_(clock),
      items_(dataset_),
      sessions_(options_.sessions, items_, store, clock),
      collection_(options_.collection),
      started_(clock.now()) {
    restore_items(items_, value_or_throw(store_.items()));
}

void Engine::publish(
    const SnapshotSource& source, ProgressSink& progress, const std::stop_token& stop
) {
    const std::scoped_lock lock{publish_mutex_};
    try {
        const auto snapshot = load_snapshot(source, ++snapshot_number_, items_, progress, stop);
        encode_arrivals(*snapshot, items_);
        snapshot_.set(snapshot);
        figures_.reloads += 1;
        log::info("serving", {{"run", snapshot->run.name}, {"items", snapshot->run.items.size()}});
    } catch (const Error&) {
        figures_.reloads_refused += 1;
        throw;
    }
}

bool Engine::is_led() const {
    const auto snapshot = snapshot_.get();
    return snapshot != nullptr && snapshot->admitted.knobs->reads_belief();
}

void Engine::encode_one(ItemRow row, const nlohmann::json& fields) {
    const auto snapshot = snapshot_.get();
    if (snapshot == nullptr || snapshot->model_row(row) != Snapshot::not_in_model) {
        return;
    }
    auto encoded = encode_items(*snapshot, std::span{&fields, 1}, dataset_->item_fields);
    if (!encoded.front()) {
        return;
    }
    items_.set_content(
        row, std::move(encoded.front()->content), std::move(encoded.front()->neighbours)
    );
}

void Engine::append(std::vector<EventRow> rows, Done<nlohmann::json> done) {
    std::vector<data::NewEvent> events;
    for (const auto& row : rows) {
        if (row.event) {
            events.push_back(*row.event);
        }
    }
    const auto arrival = clock_.now();
    const auto finish = [this, arrival, done = std::move(done), rows = std::move(rows)](
                            Result<std::vector<data::EventOutcome>> outcomes
                        ) {
        if (!outcomes) {
            return done(std::unexpected(outcomes.error()));
        }
        const auto snapshot = snapshot_.get();
        auto results = nlohmann::json::array();
        auto outcome = outcomes->begin();
        for (const auto& row : rows) {
            nlohmann::json result{{"event_id", row.event_id}};
            if (!row.event) {
                const auto& error = row.event.error();
                figures_.events_invalid += 1;
                result["status"] = "invalid";
                result["error"] = {
                    {"code", to_string(error.code())},
                    {"message", error.message()},
                    {"hint", error.hint()}
                };
                results.push_back(std::move(result));
                continue;
            }
            result["status"] = to_string(outcome->status);
            if (outcome->status == data::EventStatus::stored) {
                figures_.events_stored += 1;
                sessions_.apply(
                    *snapshot, *row.event, row.event->timestamp.value_or(arrival), outcome->sequence
                );
            } else if (outcome->status == data::EventStatus::duplicate) {
                figures_.events_duplicate += 1;
            } else {
                figures_.events_conflict += 1;
                result["error"] = {
                    {"code", "conflict"},
                    {"message", "another event with this event_id is stored"},
                    {"hint", "give every event its own id"},
                };
            }
            ++outcome;
            results.push_back(std::move(result));
        }
        done(nlohmann::json{{"results", std::move(results)}});
    };
    if (events.empty()) {
        return finish(std::vector<data::EventOutcome>{});
    }
    store_.append_events(std::move(events), arrival, finish);
}

void Engine::store_item(const std::string& id, nlohmann::json fields, Done<void> done) {
    const auto row = items_.intern(id);
    const auto now = clock_.now();
    store_.put_item(
        id,
        fields.dump(),
        now,
        [this, row, now, fields, done = std::move(done)](Result<void> stored) {
            if (stored) {
                items_.put(row, fields, now);
            }
            done(std::move(stored));
        }
    );
}

void Engine::put_item(const std::string& id, nlohmann::json fields, Done<void> done) {
    const std::scoped_lock lock{item_mutex_};
    encode_one(items_.intern(id), fields);
    store_item(id, std::move(fields), std::move(done));
}

void Engine::patch_item(const std::string& id, const nlohmann::json& changes, Done<void> done) {
    const std::scoped_lock lock{item_mutex_};
    store_.flush();  // an earlier change that is on its way must be in what we read
    nlohmann::json fields;
    ItemRow row = 0;
    {
        const auto items = items_.read();
        const auto found = items.find(id);
        if (!found || items.is_stub(*found) || items.is_hidden(*found)) {
            return done(
                fail(ErrorCode::not_found, fmt::format("no item \"{}\"", id), "PUT creates it")
            );
        }
        row = *found;
        fields = items.fields(row);
    }
    fields.merge_patch(changes);
    encode_one(row, fields);
    store_item(id, std::move(fields), std::move(done));
}

void Engine::delete_item(const std::string& id, Done<void> done) {
    const std::scoped_lock lock{item_mutex_};
    const auto row = [&]() -> std::optional<ItemRow> {
        const auto items = items_.read();
        const auto found = items.find(id);
        if (!found || items.is_hidden(*found)) {
            return std::nullopt;
        }
        return found;
    }();
    if (!row) {
        return done(fail(ErrorCode::not_found, fmt::format("no item \"{}\"", id), {}));
    }
    store_.delete_item(
        id,
        clock_.now(),
        [this, row, done = std::move(done)](const Result<bool>& deleted) {
            if (!deleted) {
                return done(std::unexpected(deleted.error()));
            }
            items_.hide(*row);
            done({});
        }
    );
}

void Engine::put_user(const std::string& id, const nlohmann::json& fields, Done<void> done) {
    store_.put_user(
        id,
        fields.dump(),
        clock_.now(),
        [this, id, done = std::move(done)](const Result<void>& kept) {
            sessions_.forget(id);
            done(kept);
        }
    );
}

void Engine::delete_user(const std::string& id, Done<void> done) {
    // Settings that were read before are not put back.
    const std::scoped_lock lock{settings_mutex_};
    store_.delete_user(
        id,
        clock_.now(),
        [this, id, done = std::move(done)](const Result<data::EventStore::Erased>& erased) {
            if (!erased) {
                return done(std::unexpected(erased.error()));
            }
            sessions_.forget(id);
            for (const auto& item : erased->value_or(std::vector<std::string>{})) {
                items_.count(items_.intern(item), -1);
            }
            if (!*erased && !dataset_->users.find(id)) {
                return done(fail(ErrorCode::not_found, fmt::format("no user \"{}\"", id), {}));
            }
            done({});
        }
    );
}

}  // namespace hg::serve
