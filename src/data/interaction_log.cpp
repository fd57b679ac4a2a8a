// SPDX-License-Identifier: Apache-2.0
#include "data/interaction_log.hpp"

#include "core/error.hpp"
#include "data/attributes.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace hg::data {
namespace {

struct OwnedColumns {
    std::vector<std::int64_t> user_offsets;
    std::vector<ItemId> items;
    std::vector<EventTypeId> types;
    std::vector<float> weights;
    std::vector<float> values;
    std::vector<TimeMs> times;
    std::vector<float> propensities;
    std::vector<std::uint32_t> sessions;

    void reserve(std::size_t n) {
        items.reserve(n);
        types.reserve(n);
        weights.reserve(n);
        values.reserve(n);
        times.reserve(n);
        propensities.reserve(n);
        sessions.reserve(n);
    }

    [[nodiscard]] LogColumns view() const {
        return {user_offsets, items, types, weights, values, times, propensities, sessions};
    }
};

InteractionLog own(std::shared_ptr<const OwnedColumns> columns, std::size_t n_items) {
    const auto view = columns->view();
    return InteractionLog::from_columns(view, n_items, std::move(columns));
}

/// Indices of the events sorted stably by (user, time): a counting sort by user, then each user's
/// events by time where they are not in order already (logs mostly are).
std::vector<std::size_t> by_user_and_time(
    const std::vector<Interaction>& events, const std::vector<std::int64_t>& offsets
) {
    std::vector<std::size_t> order(events.size());
    std::vector<std::int64_t> next{offsets.begin(), offsets.end() - 1};
    for (std::size_t i = 0; i < events.size(); ++i) {
        order[static_cast<std::size_t>(next[events[i].user.index()]++)] = i;
    }
    const auto time_of = [&](std::size_t index) { return events[index].time; };
    for (std::size_t u = 0; u + 1 < offsets.size(); ++u) {
        const std::ranges::subrange slice{
            order.begin() + offsets[u], order.begin() + offsets[u + 1]
        };
        if (!std::ranges::is_sorted(slice, {}, time_of)) {
            std::ranges::stable_sort(slice, {}, time_of);
        }
    }
    return order;
}

}  // namespace

InteractionLog InteractionLog::from_events(
    std::vector<Interaction> events, std::size_t n_users, std::size_t n_items
) {
    auto columns = std::make_shared<OwnedColumns>();
    columns->reserve(events.size());
    auto& offsets = columns->user_offsets;
    offsets.assign(n_users + 1, 0);
    for (const auto& event : events) {
        HG_CHECK(event.user.index() < n_users && event.item.index() < n_items, "id out of range");
        ++offsets[event.user.index() + 1];
    }
    std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
    for (const auto index : by_user_and_time(events, offsets)) {
        const auto& event = events[index];
        columns->items.push_back(event.item);
        columns->types.push_back(event.type);
        columns->weights.push_back(event.weight);
        columns->values.push_back(event.value);
        columns->times.push_back(event.time);
        columns->propensities.push_back(event.propensity);
        columns->sessions.push_back(event.session);
    }
    const auto is_none = [](std::uint32_t session) { return session == no_session; };
    if (std::ranges::all_of(columns->sessions, is_none)) {
        columns->sessions.clear();
    }
    return own(std::move(columns), n_items);
}

InteractionLog InteractionLog::from_columns(
    const LogColumns& columns, std::size_t n_items, std::shared_ptr<const void> storage
) {
    HG_CHECK(!columns.user_offsets.empty(), "a log needs offsets");
    HG_CHECK(
        std::cmp_equal(columns.user_offsets.back(), columns.items.size()),
        "offsets must cover the events"
    );
    InteractionLog log;
    log.columns_ = columns;
    log.n_items_ = n_items;
    log.storage_ = std::move(storage);
    return log;
}

void InteractionLog::set_attributes(std::shared_ptr<const AttributeTable> attributes) noexcept {
    attributes_ = std::move(attributes);
}

History InteractionLog::history(UserId user) const {
    HG_CHECK(user.index() < n_users(), "user out of range");
    const auto begin = static_cast<std::size_t>(columns_.user_offsets[user.index()]);
    const auto count = static_cast<std::size_t>(columns_.user_offsets[user.index() + 1]) - begin;
    return {
        .items = columns_.items.subspan(begin, count),
        .weights = columns_.weights.subspan(begin, count),
        .types = columns_.types.subspan(begin, count),
        .values = columns_.values.subspan(begin, count),
        .times = columns_.times.subspan(begin, count),
        .propensities = columns_.propensities.subspan(begin, count),
        .sessions =
            columns_.sessions.empty() ? columns_.sessions : columns_.sessions.subspan(begin, count),
        .attributes = attributes_ == nullptr ? std::span<const Attribute>{} : attributes_->of(user),
    };
}

std::vector<History> InteractionLog::histories() const {
    std::vector<History> all;
    all.reserve(n_users());
    for (std::uint32_t u = 0; u < n_users(); ++u) {
        all.push_back(history(UserId{u}));
    }
    return all;
}

InteractionLog InteractionLog::filter(const std::function<bool(UserId, std::size_t)>& keep) const {
    auto kept = std::make_shared<OwnedColumns>();
    kept->user_offsets.push_back(0);
    for (std::uint32_t u = 0; u < n_users(); ++u) {
        const auto events = history(UserId{u});
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (!keep(UserId{u}, i)) {
                continue;
            }
            kept->items.push_back(events.items[i]);
            kept->types.push_back(events.types[i]);
            kept->weights.push_back(events.weights[i]);
            kept->values.push_back(events.values[i]);
            kept->times.push_back(events.times[i]);
            kept->propensities.push_back(events.propensities[i]);
            if (!events.sessions.empty()) {
                kept->sessions.push_back(events.sessions[i]);
            }
        }
        kept->user_offsets.push_back(static_cast<std::int64_t>(kept->items.size()));
    }
    auto log = own(std::move(kept), n_items_);
    log.set_attributes(attributes_);
    return log;
}

std::vector<std::size_t> InteractionLog::events_per_item() const {
    std::vector<std::size_t> counts(n_items());
    for (const auto item : columns_.items) {
        ++counts[item.index()];
    }
    return counts;
}

}  // namespace hg::data
