// SPDX-License-Identifier: Apache-2.0
// The blocking form of EventStore::append_events.
#pragma once

#include "data/event_store.hpp"

#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace hg::data {

[[nodiscard]] inline Result<std::vector<EventOutcome>> append_events_and_wait(
    EventStore& store, std::vector<NewEvent> events, TimeMs arrival
) {
    auto promise = std::make_shared<std::promise<Result<std::vector<EventOutcome>>>>();
    auto future = promise->get_future();
    store.append_events(std::move(events), arrival, [promise](auto outcome) {
        promise->set_value(std::move(outcome));
    });
    return future.get();
}

}  // namespace hg::data
