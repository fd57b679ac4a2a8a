// SPDX-License-Identifier: Apache-2.0
#include "data/transposed.hpp"

#include <utility>
#include <vector>

namespace hg::data {
namespace {

/// A dataset without a table of them has a catalogue without rows.
Catalogue with_rows(const Catalogue& fields, std::size_t n_rows) {
    return fields.n_rows() == n_rows ? fields : Catalogue{n_rows, {}};
}

}  // namespace

Dataset transposed(const Dataset& dataset) {
    std::vector<Interaction> events;
    for (std::uint32_t user = 0; user < dataset.log.n_users(); ++user) {
        const auto history = dataset.log.history(UserId{user});
        for (std::size_t i = 0; i < history.size(); ++i) {
            Interaction event{
                .user = UserId{history.items[i].value},
                .item = ItemId{user},
                .type = history.types.empty() ? EventTypeId{} : history.types[i],
                .weight = history.weight(i),
                .time = history.times.empty() ? 0 : history.times[i],
            };
            if (!history.values.empty()) {
                event.value = history.values[i];
            }
            events.push_back(event);
        }
    }
    return {
        .name = dataset.name,
        .users = dataset.items,
        .items = dataset.users,
        .event_types = dataset.event_types,
        .time_kind = dataset.time_kind,
        .repeats_count = dataset.repeats_count,
        .log = InteractionLog::from_events(
            std::move(events), dataset.items.size(), dataset.users.size()
        ),
        .item_fields = with_rows(dataset.user_fields, dataset.users.size()),
        .user_fields = with_rows(dataset.item_fields, dataset.items.size()),
        .hash = dataset.hash,
    };
}

}  // namespace hg::data
