// SPDX-License-Identifier: Apache-2.0
#include "serve/session.hpp"

#include "serve/user_attributes.hpp"
#include "serve/user_belief.hpp"

#include <algorithm>
#include <limits>

namespace hg::serve {

HistoryReader::HistoryReader(ItemTable& items, std::size_t max_history)
    : items_(items), max_history_(max_history), weights_(items.dataset().event_types) {}

UserEvent HistoryReader::to_user_event(const data::NewEvent& event, TimeMs time, ItemRow row)
    const {
    return {
        .row = row,
        .weight = weights_.weight(event.event),
        .type = items_.dataset().event_type(event.event),
        .value = event.value ? static_cast<float>(*event.value)
                             : std::numeric_limits<float>::quiet_NaN(),
        .time = time,
    };
}

void HistoryReader::append(Session& session, const UserEvent& event) const {
    session.events.push_back(event);
    if (session.events.size() > max_history_) {
        session.events.erase(session.events.begin());
    }
    session.seen.insert(event.row);
    session.history_size += 1;
}

void HistoryReader::add_dataset_history(Session& session, const std::string& user_id) const {
    const auto& dataset = items_.dataset();
    const auto user = dataset.users.find(user_id);
    if (!user || *user >= dataset.log.n_users()) {
        return;
    }
    const auto history = dataset.log.history(UserId{*user});
    for (std::size_t i = 0; i < history.size(); ++i) {
        const auto& item_id = dataset.items.name(history.items[i].value);
        if (session.settings->is_forgotten(i, item_id)) {
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

void HistoryReader::fill(
    Session& session, const std::string& user_id, const StoredUser& stored, TimeMs now
) const {
    session.attributes = attributes_of(
        fields_of_user(items_.dataset(), user_id, stored.dataset_history, stored.fields)
    );
    session.settings = stored.settings.empty()
                           ? no_settings()
                           : std::make_shared<const UserSettings>(stored.settings);
    session.events.clear();
    session.seen.clear();
    session.history_size = 0;
    session.sequence = 0;
    session.pending_from = data::EventStore::forever;
    if (stored.dataset_history == DatasetHistory::include) {
        add_dataset_history(session, user_id);
    }
    for (const auto* event : stored.events) {
        session.sequence = std::max(session.sequence, event->sequence);
        // Pending is what its sender dates later; what we dated ourselves has happened, whatever the
        // clock says now.
        if (event->body.timestamp && event->timestamp > now) {
            session.pending_from = std::min(session.pending_from, event->timestamp);
            continue;
        }
        const auto row = items_.intern(event->body.item_id);
        auto added = to_user_event(event->body, event->timestamp, row);
        added.origin = event->sequence;
        append(session, added);
    }
}

Sessions::Sessions(
    SessionOptions options, ItemTable& items, const data::EventStore& store, const Clock& clock
)
    : options_(options),
      items_(items),
      store_(store),
      clock_(clock),
      reader_(items, options.max_history),
      cache_(options.max_sessions) {}

Result<nlohmann::json> Sessions::fields_of(const std::string& user_id) const {
    HG_TRY(const auto is_erased, store_.is_erased(user_id));
    HG_TRY(const auto record, store_.user(user_id));
    return fields_of_user(
        items_.dataset(),
        user_id,
        is_erased ? DatasetHistory::leave_out : DatasetHistory::include,
        record ? record->fields : std::string{}
    );
}

Result<void> Sessions::load(Session& session, const std::string& user_id) {
    StoredUser known;
    HG_TRY(const auto is_erased, store_.is_erased(user_id));
    known.dataset_history = is_erased ? DatasetHistory::leave_out : DatasetHistory::include;
    HG_TRY(const auto record, store_.user(user_id));
    known.fields = record ? record->fields : std::string{};
    HG_TRY(const auto settings, store_.user_settings(user_id));
    known.settings = parse_settings(settings);
    HG_TRY(
        const auto stored,
        store_.last_events(user_id, data::EventStore::all, data::EventStore::forever)
    );
    for (const auto& event : stored) {
        known.events.push_back(&event);
    }
    session.belief.reset();
    reader_.fill(session, user_id, known, clock_.now());
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

void Sessions::keep_candidates(
    const std::shared_ptr<Session>& session,
    std::uint64_t event_number,
    std::shared_ptr<const Candidates> candidates
) {
    const auto number = ++n_scorings_;
    {
        const std::scoped_lock lock{session->mutex};
        if (session->event_number != event_number) {
            return;
        }
        session->candidates = std::move(candidates);
        session->scoring = number;
    }
    Scoring oldest;
    {
        const std::scoped_lock lock{scored_mutex_};
        scored_.push_back({session, number});
        if (scored_.size() <= options_.max_scored) {
            return;
        }
        oldest = std::move(scored_.front());
        scored_.pop_front();
    }
    const auto dropped = oldest.session.lock();
    if (dropped == nullptr) {
        return;
    }
    const std::scoped_lock lock{dropped->mutex};
    if (dropped->scoring == oldest.number) {
        dropped->candidates.reset();
        dropped->ranked.reset();
        dropped->belief.reset();
    }
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
    auto added = reader_.to_user_event(event, time, row);
    added.origin = sequence;
    reader_.append(*session, added);
    session->sequence = sequence;
    session->event_number += 1;
    if (session->history_size > session->events.size()) {
        session->belief.reset();  // it must forget the event that left: made again by replay
    } else {
        update_belief(snapshot, *session, added);
    }
}

}  // namespace hg::serve
