// SPDX-License-Identifier: Apache-2.0
#include "serve/http/bodies.hpp"

#include "serve/http/json_body.hpp"
#include "serve/user_settings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace hg::serve {
namespace {

using nlohmann::json;

constexpr std::size_t max_event_name = 64;
constexpr std::size_t max_recommendation_id = 64;
constexpr std::size_t max_context = 4096;
constexpr std::size_t max_list = 10'000;
constexpr std::size_t max_fields_bytes = 64U << 10U;
// Year 1 to year 9999: a timestamp in seconds or nanoseconds is not refused, but one in garbage is.
constexpr std::int64_t min_time = -62'135'596'800'000;
constexpr std::int64_t max_time = 253'402'300'799'999;

Result<std::string> read_context(const json& object) {
    const auto found = object.find("context");
    if (found == object.end() || found->is_null()) {
        return std::string{};
    }
    if (!found->is_object()) {
        return fail(
            ErrorCode::invalid_argument, "context is not an object", "send {\"name\": value}"
        );
    }
    auto text = found->dump();
    if (text.size() > max_context) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("context is longer than {} bytes", max_context),
            "shorten it"
        );
    }
    return text;
}

Result<std::string> read_optional_id(const json& object, const char* key, std::size_t max_bytes) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::string{};
    }
    return id_of(*found, key, max_bytes);
}

Result<data::NewEvent> parse_event(const json& row) {
    if (!row.is_object()) {
        return fail(ErrorCode::invalid_argument, "an event is not an object", {});
    }
    if (const auto keys = check_keys(
            row,
            {"event_id",
             "user_id",
             "item_id",
             "event",
             "value",
             "timestamp",
             "recommendation_id",
             "position",
             "context"},
            ""
        );
        !keys) {
        return std::unexpected(keys.error());
    }
    data::NewEvent event;
    HG_TRY(event.event_id, read_id(row, "event_id", ""));
    if (event.event_id.starts_with(dataset_prefix)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("event_id \"{}\" is a name of the dataset's own events", event.event_id),
            fmt::format("begin it with something else than \"{}\"", dataset_prefix)
        );
    }
    HG_TRY(event.user_id, read_id(row, "user_id", ""));
    HG_TRY(event.item_id, read_id(row, "item_id", ""));
    HG_TRY(event.event, read_id(row, "event", "", max_event_name));
    HG_TRY(event.value, read_number(row, "value", ""));
    HG_TRY(event.timestamp, read_integer(row, "timestamp", "", min_time, max_time));
    HG_TRY(
        event.recommendation_id, read_optional_id(row, "recommendation_id", max_recommendation_id)
    );
    constexpr auto largest = std::numeric_limits<std::int32_t>::max();
    HG_TRY(event.position, read_integer(row, "position", "", 0, largest));
    HG_TRY(event.context, read_context(row));
    return event;
}

std::string event_id_of(const json& row) {
    if (!row.is_object()) {
        return {};
    }
    return read_id(row, "event_id", "").value_or(std::string{});
}

Result<HistoryEntry> parse_history_entry(const json& row) {
    HistoryEntry entry;
    if (!row.is_object()) {
        HG_TRY(entry.item_id, id_of(row, "an item of history"));
        return entry;
    }
    if (const auto keys = check_keys(row, {"item_id", "event", "value", "timestamp"}, "history: ");
        !keys) {
        return std::unexpected(keys.error());
    }
    HG_TRY(entry.item_id, read_id(row, "item_id", "history: "));
    HG_TRY(entry.event, read_optional_id(row, "event", max_event_name));
    HG_TRY(entry.value, read_number(row, "value", "history: "));
    HG_TRY(entry.timestamp, read_integer(row, "timestamp", "history: ", min_time, max_time));
    return entry;
}

Result<const json*> read_list(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return nullptr;
    }
    if (!found->is_array() || found->size() > max_list) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is not a list of at most {}", key, max_list),
            {}
        );
    }
    return &*found;
}

Result<bool> read_bool(const json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return false;
    }
    if (!found->is_boolean()) {
        return fail(ErrorCode::invalid_argument, fmt::format("{} is not true or false", key), {});
    }
    return found->get<bool>();
}

Result<FilterCondition> parse_condition(const std::string& field, const json& wanted) {
    FilterCondition condition{.field = field};
    if (wanted.is_string()) {
        condition.any_of.push_back(wanted.get<std::string>());
    } else if (wanted.is_number()) {
        condition.min = condition.max = wanted.get<double>();
    } else if (wanted.is_array() && wanted.size() <= max_list) {
        for (const auto& word : wanted) {
            if (!word.is_string()) {
                return fail(
                    ErrorCode::invalid_argument,
                    fmt::format("filter: {} lists what is not text", field),
                    {}
                );
            }
            condition.any_of.push_back(word.get<std::string>());
        }
    } else if (wanted.is_object()) {
        if (const auto keys = check_keys(wanted, {"min", "max"}, "filter: "); !keys) {
            return std::unexpected(keys.error());
        }
        HG_TRY(condition.min, read_number(wanted, "min", "filter: "));
        HG_TRY(condition.max, read_number(wanted, "max", "filter: "));
    } else {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("filter: {} is not a condition", field),
            R"(send "word", ["word", ...], a number or {"min": 1, "max": 2})"
        );
    }
    return condition;
}

Result<std::vector<FilterCondition>> read_filter(const json& object) {
    std::vector<FilterCondition> filter;
    const auto found = object.find("filter");
    if (found == object.end() || found->is_null()) {
        return filter;
    }
    if (!found->is_object()) {
        return fail(
            ErrorCode::invalid_argument, "filter is not an object", R"(send {"genres": "Comedy"})"
        );
    }
    for (const auto& [field, wanted] : found->items()) {
        HG_TRY(auto condition, parse_condition(field, wanted));
        filter.push_back(std::move(condition));
    }
    return filter;
}

Result<Seen> read_seen(const json& object) {
    const auto found = object.find("seen");
    if (found == object.end() || found->is_null() || *found == "hide") {
        return Seen::hide;
    }
    if (*found == "allow") {
        return Seen::allow;
    }
    return fail(
        ErrorCode::invalid_argument,
        "seen is neither \"hide\" nor \"allow\"",
        "leave it out to hide"
    );
}

bool is_field_value(const json& value) {
    if (value.is_string() || value.is_number() || value.is_boolean() || value.is_null()) {
        return true;
    }
    return value.is_array() && std::ranges::all_of(value, [](const json& word) {
               return word.is_string() || word.is_number();
           });
}

Result<json> checked_fields(json object) {
    constexpr auto example =
        R"(for example {"title": "Toy Story", "genres": ["Comedy"], "year": 1995})";
    if (!object.is_object()) {
        return fail(ErrorCode::invalid_argument, "fields is not an object", example);
    }
    for (const auto& [name, value] : object.items()) {
        if (name.empty() || name.size() > max_event_name || !is_field_value(value)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "field \"{}\" is not a text, number, true, false or list of texts",
                    name.substr(0, 40)
                ),
                example
            );
        }
    }
    return object;
}

}  // namespace

Result<std::vector<EventRow>> parse_events(std::string_view body) {
    HG_TRY(const auto object, parse_object(body));
    if (const auto keys = check_keys(object, {"events"}, ""); !keys) {
        return std::unexpected(keys.error());
    }
    const auto found = object.find("events");
    if (found == object.end() || !found->is_array() || found->empty() ||
        found->size() > max_events_per_batch) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("events is not a list of 1 to {} events", max_events_per_batch),
            R"(send {"events": [{"event_id", "user_id", "item_id", "event"}]})"
        );
    }
    std::vector<EventRow> rows;
    rows.reserve(found->size());
    for (const auto& row : *found) {
        rows.push_back({event_id_of(row), parse_event(row)});
    }
    return rows;
}

Result<RecommendRequest> parse_recommend(std::string_view body) {
    HG_TRY(const auto object, parse_object(body));
    if (const auto keys = check_keys(
            object,
            {"user_id", "history", "fields", "k", "context", "filter", "exclude", "seen", "explain"
            },
            ""
        );
        !keys) {
        return std::unexpected(keys.error());
    }
    RecommendRequest request;
    HG_TRY(request.user_id, read_optional_id(object, "user_id", max_id_bytes));
    HG_TRY(const auto* history, read_list(object, "history"));
    if (request.user_id.empty() == (history == nullptr)) {
        return fail(
            ErrorCode::invalid_argument,
            "send either user_id or history",
            R"({"user_id": "u1"}, {"history": ["item1"]}, or {"history": []} for a stranger)"
        );
    }
    if (history != nullptr) {
        for (const auto& row : *history) {
            HG_TRY(auto entry, parse_history_entry(row));
            request.history.push_back(std::move(entry));
        }
    }
    if (const auto found = object.find("fields"); found != object.end() && !found->is_null()) {
        if (history == nullptr) {
            return fail(
                ErrorCode::invalid_argument,
                "fields go with a history, not with a user_id",
                "PUT /v1/users/{id} keeps the fields of a user"
            );
        }
        HG_TRY(request.fields, checked_fields(*found));
    }
    HG_TRY(const auto k, read_integer(object, "k", "", 1, max_slate));
    request.k = static_cast<std::size_t>(k.value_or(static_cast<std::int64_t>(request.k)));
    HG_TRY(request.context, read_context(object));
    HG_TRY(request.filter, read_filter(object));
    HG_TRY(const auto* exclude, read_list(object, "exclude"));
    if (exclude != nullptr) {
        for (const auto& item : *exclude) {
            HG_TRY(auto id, id_of(item, "an item of exclude"));
            request.exclude.push_back(std::move(id));
        }
    }
    HG_TRY(request.seen, read_seen(object));
    HG_TRY(request.explain, read_bool(object, "explain"));
    return request;
}

std::string masks_text(const RecommendRequest& request) {
    auto masks = json::object();
    if (!request.exclude.empty()) {
        masks["exclude"] = request.exclude;
    }
    if (request.seen == Seen::allow) {
        masks["seen"] = "allow";
    }
    for (const auto& condition : request.filter) {
        auto& wanted = masks["filter"][condition.field];
        if (!condition.min && !condition.max) {
            wanted = condition.any_of;
            continue;
        }
        if (condition.min) {
            wanted["min"] = *condition.min;
        }
        if (condition.max) {
            wanted["max"] = *condition.max;
        }
    }
    return masks.empty() ? std::string{}
                         : masks.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<RecommendRequest> parse_masks(std::string_view masks, std::string user_id) {
    RecommendRequest request;
    if (!masks.empty()) {
        HG_TRY(auto object, parse_object(masks));
        object["user_id"] = "u";  // a request is somebody's
        HG_TRY(request, parse_recommend(object.dump()));
    }
    request.user_id = std::move(user_id);
    return request;
}

Result<json> parse_fields(std::string_view body) {
    if (body.size() > max_fields_bytes) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the fields are longer than {} bytes", max_fields_bytes),
            "send a link instead of long content"
        );
    }
    HG_TRY(auto object, parse_object(body));
    return checked_fields(std::move(object));
}

}  // namespace hg::serve
