// SPDX-License-Identifier: Apache-2.0
// copy_event: one event of a history into a buffer, on an item that goes by another number there.
//
//   copy_event(history, i, ItemId{row}, buffer);
#pragma once

#include "data/history.hpp"

namespace hg::data {

inline void copy_event(const History& from, std::size_t index, ItemId item, HistoryBuffer& to) {
    to.add({
        .item = item,
        .weight = from.weight(index),
        .type = from.types.empty() ? EventTypeId{} : from.types[index],
        .value = from.values.empty() ? 0.0F : from.values[index],
        .time = from.times.empty() ? 0 : from.times[index],
    });
}

}  // namespace hg::data
