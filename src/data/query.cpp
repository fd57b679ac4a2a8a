// SPDX-License-Identifier: Apache-2.0
#include "data/query.hpp"

#include "data/json_fields.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace hg::data {
namespace {

namespace dom = simdjson::dom;

constexpr JsonFields read{R"(for example {"user_id": "7", "history": ["50", "172"]})"};

Result<QueryEvent> parse_event(
    const dom::element& value, const std::string& where, std::set<std::string>& unknown
) {
    QueryEvent event;
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        HG_TRY(event.item_id, read.id(value, where));
        return event;
    }
    bool has_item = false;
    for (const auto [key, entry] : object) {
        const auto place = fmt::format("{}.{}", where, key);
        if (key == "item_id") {
            HG_TRY(event.item_id, read.id(entry, place));
            has_item = true;
        } else if (entry.is_null()) {
            continue;
        } else if (key == "event") {
            HG_TRY(event.event, read.id(entry, place));
        } else if (key == "value") {
            HG_TRY(const auto number, read.number(entry, place));
            event.value = static_cast<float>(number);
        } else if (key == "timestamp") {
            HG_TRY(event.time, read.time(entry, place));
        } else if (constexpr std::size_t kept = 8; unknown.size() < kept) {
            unknown.insert("history." + std::string{key});
        }
    }
    if (!has_item) {
        return read.wrong(where, value, "an object with item_id");
    }
    return event;
}

Result<std::vector<QueryEvent>> parse_history(
    const dom::element& value, std::set<std::string>& unknown
) {
    HG_TRY(const auto list, read.list(value, "history", "a list of ids or of events"));
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

Result<std::vector<std::pair<std::string, std::string>>> parse_fields(const dom::element& value) {
    dom::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        return read.wrong("fields", value, "an object of texts and integers");
    }
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto [name, entry] : object) {
        if (!entry.is_null()) {
            HG_TRY(auto text, read.id(entry, fmt::format("fields.{}", name)));
            fields.emplace_back(name, std::move(text));
        }
    }
    return fields;
}

}  // namespace

struct QueryParser::Impl {
    dom::parser json;
};

QueryParser::QueryParser() : impl_(std::make_unique<Impl>()) {}

QueryParser::~QueryParser() = default;

Result<Query> QueryParser::parse(std::string_view line) {
    HG_TRY(const auto object, read.object(impl_->json, line));
    Query query;
    for (const auto [key, value] : object) {
        if (value.is_null() || key == "context") {
            continue;
        }
        if (key == "user_id") {
            HG_TRY(query.user_id, read.id(value, "user_id"));
        } else if (key == "history") {
            HG_TRY(query.history, parse_history(value, unknown_keys_));
        } else if (key == "fields") {
            HG_TRY(query.fields, parse_fields(value));
        } else if (key == "candidates") {
            HG_TRY(query.candidates, read.ids(value, "candidates"));
        } else if (key == "exclude") {
            HG_TRY(query.exclude, read.ids(value, "exclude"));
        } else if (constexpr std::size_t kept = 8; unknown_keys_.size() < kept) {
            unknown_keys_.emplace(key);
        }
    }
    return query;
}

}  // namespace hg::data
