// SPDX-License-Identifier: Apache-2.0
// bodies: the request bodies of the wire as values: events, recommend, fields. Parsers of foreign
// bytes: torch-free, fuzzed (fuzz/http_body.cpp).
//
//   HG_TRY(auto batch, parse_events(body));     // rows are judged one by one
//   HG_TRY(auto wish, parse_recommend(body));
#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "data/event_store.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::serve {

constexpr std::size_t max_events_per_batch = 10'000;
constexpr std::int64_t max_slate = 100;

/// One row of a batch: an event, or what is wrong with it.
struct EventRow {
    std::string event_id;  // as far as it could be read
    Result<data::NewEvent> event;
};

/// {"events": [...]}; the error is about the body as a whole.
[[nodiscard]] Result<std::vector<EventRow>> parse_events(std::string_view body);

struct HistoryEntry {
    std::string item_id;
    std::string event{};  // empty: the default type
    std::optional<double> value{};
    std::optional<TimeMs> timestamp{};
};

/// One condition on a field: any of the words, or a number within bounds.
struct FilterCondition {
    std::string field;
    std::vector<std::string> any_of{};
    std::optional<double> min{};
    std::optional<double> max{};
};

enum class Seen : std::uint8_t { hide, allow };

struct RecommendRequest {
    std::string user_id{};  // empty: the history is the user
    std::vector<HistoryEntry> history{};
    nlohmann::json fields = nlohmann::json::object();  // of the person with that history
    std::size_t k = 10;
    std::string context{};  // JSON text
    std::vector<FilterCondition> filter{};
    std::vector<std::string> exclude{};
    Seen seen = Seen::hide;
    bool explain = false;
};

[[nodiscard]] Result<RecommendRequest> parse_recommend(std::string_view body);

/// What of a request decides which items may be shown (exclude, filter, seen) as JSON; empty where
/// it says nothing of them. What the impression keeps.
[[nodiscard]] std::string masks_text(const RecommendRequest& request);
/// A request of this user with masks_text() of an earlier one.
[[nodiscard]] Result<RecommendRequest> parse_masks(std::string_view masks, std::string user_id);

/// A flat object of texts, numbers, booleans or lists of texts, for items and users; at most 64 KB.
[[nodiscard]] Result<nlohmann::json> parse_fields(std::string_view body);

}  // namespace hg::serve
