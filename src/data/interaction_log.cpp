// SPDX-License-Identifier: Apache-2.0
#include "data/interaction_log.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <tuple>

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

    void reserve(std::size_t n) {
        items.reserve(n);
        types.reserve(n);
        weights.reserve(n);
        values.reserve(n);
        times.reserve(n);
        propensities.reserve(n);
    }

    [[nodiscard]] LogColumns view() const {
        return {user_offsets, items, types, weights, values, times, propensities};
    }
};

InteractionLog own(std::shared_ptr<const OwnedColumns> columns, std::size_t n_items) {
    const auto view = columns->view();
    return InteractionLog::from_columns(view, n_items, std::move(columns));
}

}  // namespace

InteractionLog InteractionLog::from_events(
    std::vector<Interaction> events, std::size_t n_users, std::size_t n_items
) {
    std::ranges::stable_sort(events, {}, [](const Interaction& e) {
        return std::tuple{e.user, e.time};
    });
    auto columns = std::make_shared<OwnedColumns>();
    columns->reserve(events.size());
    columns->user_offsets.assign(n_users + 1, 0);
    for (const auto& event : events) {
        HG_CHECK(event.user.index() < n_users && event.item.index() < n_items, "id out of range");
        ++columns->user_offsets[event.user.index() + 1];
        columns->items.push_back(event.item);
        columns->types.push_back(event.type);
        columns->weights.push_back(event.weight);
        columns->values.push_back(event.value);
        columns->times.push_back(event.time);
        columns->propensities.push_back(event.propensity);
    }
    for (std::size_t u = 0; u < n_users; ++u) {
        columns->user_offsets[u + 1] += columns->user_offsets[u];
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
        }
        kept->user_offsets.push_back(static_cast<std::int64_t>(kept->items.size()));
    }
    return own(std::move(kept), n_items_);
}

}  // namespace hg::data
