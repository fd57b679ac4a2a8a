// SPDX-License-Identifier: Apache-2.0
#include "data/event_store.hpp"

#include "core/digest.hpp"

#include <fmt/format.h>

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

}  // namespace hg::data
