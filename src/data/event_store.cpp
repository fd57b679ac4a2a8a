// SPDX-License-Identifier: Apache-2.0
#include "data/event_store.hpp"

#include "core/digest.hpp"

#include <fmt/format.h>

#include <future>
#include <memory>

namespace hg::data {

std::string_view to_string(EventStatus status) noexcept {
    switch (status) {
        case EventStatus::stored:
            return "stored";
        case EventStatus::duplicate:
            return "duplicate";
        case EventStatus::conflict:
            return "conflict";
    }
    return "conflict";
}

std::string body_digest(const NewEvent& event) {
    // Lengths make the text unambiguous; an absent number is a dash, which no number prints as.
    std::string text;
    for (const auto* part :
         {&event.user_id, &event.item_id, &event.event, &event.recommendation_id, &event.context}) {
        text += fmt::format("{}:{}", part->size(), *part);
    }
    text += event.value ? fmt::format("|{}", *event.value) : "|-";
    text += event.timestamp ? fmt::format("|{}", *event.timestamp) : "|-";
    text += event.position ? fmt::format("|{}", *event.position) : "|-";
    constexpr std::size_t digits = 32;
    return digest_hex(text).substr(0, digits);
}

Result<std::vector<EventOutcome>> append_events_and_wait(
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
