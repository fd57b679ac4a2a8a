// SPDX-License-Identifier: Apache-2.0
#include "serve/session.hpp"

#include "data/dataset_config.hpp"
#include "serve/user_attributes.hpp"
#include "serve/user_belief.hpp"

#include <algorithm>
#include <limits>

namespace hg::serve {

EventWeights::EventWeights(const data::Dataset& dataset) : dataset_(dataset) {
    for (const auto& type : dataset.event_types) {
        weights_[type.name] = type.weight;
    }
}

float EventWeights::weight(std::string_view event) const {
    const auto found = weights_.find(std::string{event});
    return found != weights_.end() ? found->second : data::default_event_weight(event);
}

EventTypeId EventWeights::type(std::string_view event) const {
    return dataset_.event_type(event);
}

Sessions::Sessions(
    SessionOptions options, ItemTable& items, const data::EventStore& store, const Clock& clock
)
    : options_(options),
      items_(items),
      store_(store),
      clock_(clock),
      weights_(items.dataset()),
      cache_(options.max_sessions) {}

UserEvent Sessions::to_user_event(const data::NewEvent& event, TimeMs time, ItemRow row) const {
    return {
        .row = row,
        .weight = weights_.weight(event.event),
        .type = weights_.type(event.event),
        .value = event.value ? static_cast<float>(*event.value)
                             : std::numeric_limits<float>::quiet_NaN(),
        .time = time,
    };
}

void Sessions::append(Session& session, const UserEvent& event) const {
    session.events.push_back(event);
    if (session.events.size() > options_.max_history) {
        session.events.erase(session.events.begin());
    }
    session.seen.insert(event.row);
    session.history_size += 1;
}

void Sessions::add_dataset_history(Session& session, const std::string& user_id) const {
    const auto& dataset = items_.dataset();
    const auto user = dataset.users.find(user_id);
    if (!user || *user >= dataset.log.n_users()) {
        return;
    }
    const auto history = dataset.log.history(UserId{*user});
    for (std::size_t i = 0; i < history.size(); ++i) {
        const auto& item_id = dataset.items.name(history.items[i].value);
        if (session.settings.is_forgotten(i, item_id)) {
            continue;
        }
        append(
            session,
            {
                .row = history.items[i].value,
                .weight = history.weight(i),
                .type = history.types.empty() ? EventTypeId{} : history.types[i],
                .value = history.values.empty() ? std::numeric_limits<float>::quiet_NaN()
                                                : history.values[i],
                .time = history.times.empty() ? 0 : history.times[i],
                .origin = -1 - static_cast<std::int64_t>(i),
            }
        );
    }
}

Result<nlohmann::json> Sessions::fields_of(const std::string& user_id) const {
    HG_TRY(const auto is_erased, store_.is_erased(user_id));
    auto fields = is_erased ? nlohmann::json::object() : dataset_fields(items_.dataset(), user_id);
    HG_TRY(const auto record, store_.user(user_id));
    if (record) {
        fields.update(nlohmann::json::parse(record->fields));
    }
    return fields;
}

Result<void> Sessions::load(Session& session, const std::string& user_id) {
    session.events.clear();
    session.seen.clear();
    session.history_size = 0;
    session.sequence = 0;
    session.pending_from = data::EventStore::forever;
    session.belief.reset();
    HG_TRY(const auto fields, fields_of(user_id));
    session.attributes = attributes_of(fields);
    HG_TRY(const auto settings, store_.user_settings(user_id));
    session.settings = parse_settings(settings);
    if (items_.dataset().users.find(user_id)) {
        HG_TRY(const auto is_erased, store_.is_erased(user_id));
        if (!is_erased) {
            add_dataset_history(session, user_id);
        }
    }
    const auto now = clock_.now();
    HG_TRY(
        const auto stored,
        store_.last_events(user_id, data::EventStore::all, data::EventStore::forever)
    );
    for (const auto& event : stored) {
        session.sequence = std::max(session.sequence, event.sequence);
        if (event.timestamp > now) {
            session.pending_from = std::min(session.pending_from, event.timestamp);
            continue;
        }
        auto added = to_user_event(event.body, event.timestamp, items_.intern(event.body.item_id));
        added.origin = event.sequence;
        append(session, added);
    }
    session.event_number += 1;
    session.is_loaded = true;
    return {};
}

Result<std::shared_ptr<Session>> Sessions::open(
    const Snapshot& snapshot, const std::string& user_id
) {
    auto session = cache_.get_or_make(user_id);
    const std::scoped_lock lock{session->mutex};
    if (!session->is_loaded || clock_.now() >= session->pending_from) {
        if (const auto loaded = load(*session, user_id); !loaded) {
            return std::unexpected(loaded.error());
        }
    }
    keep_belief(snapshot, *session);
    return session;
}

void Sessions::apply(
    const Snapshot& snapshot, const data::NewEvent& event, TimeMs time, std::int64_t sequence
) {
    const auto row = items_.intern(event.item_id);
    items_.count(row);
    const auto session = cache_.find(event.user_id);
    if (session == nullptr) {
        return;
    }
    const std::scoped_lock lock{session->mutex};
    if (!session->is_loaded || sequence <= session->sequence) {
        return;
    }
    const auto& events = session->events;
    if (time > clock_.now() || (!events.empty() && time < events.back().time)) {
        session->is_loaded = false;  // of the future, or late: the store puts it in its place
        return;
    }
    auto added = to_user_event(event, time, row);
    added.origin = sequence;
    append(*session, added);
    session->sequence = sequence;
    session->event_number += 1;
    update_belief(snapshot, *session, added);
}

}  // namespace hg::serve
