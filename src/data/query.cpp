// SPDX-License-Identifier: Apache-2.0
#include "data/query.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

namespace hg::data {
namespace {

namespace dom = simdjson::dom;

std::string_view kind_of(const dom::element& value) {
    switch (value.type()) {
        case dom::element_type::ARRAY:
            return "a list";
        case dom::element_type::OBJECT:
            return "an object";
        case dom::element_type::STRING:
            return "a text";
        case dom::element_type::BOOL:
            return "true or false";
        case dom::element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

std::unexpected<Error> wrong(
    std::string_view where, const dom::element& found, std::string_view expected
) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{} is {}, expected {}", where, kind_of(found), expected),
        R"(for example {"user_id": "7", "history": ["50", "172"]})"
    );
}

Result<std::string> parse_id(const dom::element& value, std::string_view where) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) {
        return std::string{text};
    }
    std::int64_t number = 0;
    if (value.get_int64().get(number) == simdjson::SUCCESS) {
        return std::to_string(number);
    }
    std::uint64_t large = 0;
    if (value.get_uint64().get(large) == simdjson::SUCCESS) {
        return std::to_string(large);
    }
    return wrong(where, value, "an id (a text or an integer)");
}

Result<std::vector<std::string>> parse_ids(const dom::element& value, std::string_view where) {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return wrong(where, value, "a list of ids");
    }
    std::vector<std::string> ids;
    for (const dom::element entry : list) {
        HG_TRY(auto id, parse_id(entry, fmt::format("{}[{}]", where, ids.size())));
        ids.push_back(std::move(id));
    }
    return ids;
}

Result<double> parse_number(const dom::element& value, const std::string& where) {
    double number = 0;
    if (value.get_double().get(number) != simdjson::SUCCESS) {
        return wrong(where, value, "a number");
    }
    return number;
}

Result<QueryEvent> parse_event(
    const dom::element& value, const std::string& where, std::set<std::string>& unknown
) {
    QueryEvent event;
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        HG_TRY(event.item_id, parse_id(value, where));
        return event;
    }
    bool has_item = false;
    for (const auto [key, entry] : object) {
        const auto place = fmt::format("{}.{}", where, key);
        if (key == "item_id") {
            HG_TRY(event.item_id, parse_id(entry, place));
            has_item = true;
        } else if (entry.is_null()) {
            continue;
        } else if (key == "event") {
            HG_TRY(event.event, parse_id(entry, place));
        } else if (key == "value") {
            HG_TRY(const auto number, parse_number(entry, place));
            event.value = static_cast<float>(number);
        } else if (key == "timestamp") {
            HG_TRY(const auto number, parse_number(entry, place));
            constexpr double limit = 9e15;  // beyond it a double no longer counts milliseconds
            if (std::abs(number) > limit) {
                return wrong(place, entry, "milliseconds since 1970");
            }
            event.time = static_cast<TimeMs>(number);
        } else if (constexpr std::size_t kept = 8; unknown.size() < kept) {
            unknown.insert("history." + std::string{key});
        }
    }
    if (!has_item) {
        return wrong(where, value, "an object with item_id");
    }
    return event;
}

Result<std::vector<QueryEvent>> parse_history(
    const dom::element& value, std::set<std::string>& unknown
) {
    dom::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return wrong("history", value, "a list of ids or of events");
    }
    std::vector<QueryEvent> events;
    for (const dom::element entry : list) {
        HG_TRY(auto event, parse_event(entry, fmt::format("history[{}]", events.size()), unknown));
        events.push_back(std::move(event));
    }
    if (std::ranges::all_of(events, [](const auto& e) { return e.time.has_value(); })) {
        std::ranges::stable_sort(events, {}, &QueryEvent::time);
    }
    return events;
}

}  // namespace

struct QueryParser::Impl {
    dom::parser json;
};

QueryParser::QueryParser() : impl_(std::make_unique<Impl>()) {}

QueryParser::~QueryParser() = default;

Result<Query> QueryParser::parse(std::string_view line) {
    dom::element root;
    if (const auto code = impl_->json.parse(line.data(), line.size()).get(root);
        code != simdjson::SUCCESS) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("not JSON: {}", simdjson::error_message(code)),
            R"(one object a line, for example {"user_id": "7", "history": ["50", "172"]})"
        );
    }
    dom::object object;
    if (root.get_object().get(object) != simdjson::SUCCESS) {
        return wrong("the line", root, "an object");
    }
    Query query;
    for (const auto [key, value] : object) {
        if (value.is_null() || key == "context") {
            continue;
        }
        if (key == "user_id") {
            HG_TRY(query.user_id, parse_id(value, "user_id"));
        } else if (key == "history") {
            HG_TRY(query.history, parse_history(value, unknown_keys_));
        } else if (key == "candidates") {
            HG_TRY(query.candidates, parse_ids(value, "candidates"));
        } else if (key == "exclude") {
            HG_TRY(query.exclude, parse_ids(value, "exclude"));
        } else if (constexpr std::size_t kept = 8; unknown_keys_.size() < kept) {
            unknown_keys_.emplace(key);
        }
    }
    return query;
}

}  // namespace hg::data
