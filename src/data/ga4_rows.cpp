// SPDX-License-Identifier: Apache-2.0
#include "data/ga4_rows.hpp"

#include "data/convert_cell.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <vector>

namespace hg::data {

struct Ga4Rows::Parser {
    simdjson::dom::parser dom;
    std::deque<std::vector<std::string>> rows;  // of the current line, not yet given
    std::vector<std::string> given;
    Row line;  // its number and text
};

namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::array<std::string_view, 5> category_names{
    "item_category", "item_category2", "item_category3", "item_category4", "item_category5"
};

/// Events that show items or repeat the whole cart: they tell nothing of a choice.
constexpr std::array<std::string_view, 8> no_choices{
    "view_item_list",
    "view_promotion",
    "select_promotion",
    "view_cart",
    "begin_checkout",
    "add_shipping_info",
    "add_payment_info",
    "remove_from_cart",
};

std::string scalar(const element& value) {
    if (value.is_string()) {
        return std::string{value.get_string().value_unsafe()};
    }
    if (value.is_int64() || value.is_uint64() || value.is_double()) {
        return simdjson::minify(value);
    }
    return {};
}

/// GA4 writes "(not set)" for nothing.
std::string member(const object& parent, std::string_view name) {
    element value;
    if (parent.at_key(name).get(value) != simdjson::SUCCESS) {
        return {};
    }
    auto text = scalar(value);
    return text == "(not set)" ? std::string{} : text;
}

/// The session's number, from event_params: [{"key": "ga_session_id", "value": {"int_value": ..}}].
std::string session_number(const object& event) {
    simdjson::dom::array parameters;
    if (event.at_key("event_params").get(parameters) != simdjson::SUCCESS) {
        return {};
    }
    for (const auto entry : parameters) {
        object parameter;
        object value;
        if (entry.get(parameter) != simdjson::SUCCESS ||
            member(parameter, "key") != "ga_session_id" ||
            parameter.at_key("value").get(value) != simdjson::SUCCESS) {
            continue;
        }
        return member(value, "int_value");
    }
    return {};
}

std::vector<std::string> item_row(const object& item, std::string id) {
    std::string categories;
    for (const auto name : category_names) {
        const auto category = member(item, name);
        if (!category.empty()) {
            categories += (categories.empty() ? "" : std::string{list_separator}) + category;
        }
    }
    return {
        std::move(id),
        member(item, "item_name"),
        member(item, "item_brand"),
        std::move(categories),
        member(item, "price")
    };
}

}  // namespace

Ga4Rows::Ga4Rows(std::string_view text, TableKind kind, ImportContext& context)
    : text_(text), kind_(kind), context_(context), parser_(std::make_unique<Parser>()) {
    if (kind_ == TableKind::items) {
        columns_ = {"item_id", "title", "brand", "categories", "price"};
    } else {
        columns_ = {"user_id", "item_id", "event", "timestamp", "session_id"};
    }
}

Ga4Rows::~Ga4Rows() = default;

std::size_t Ga4Rows::estimated_rows() const {
    constexpr std::size_t bytes_an_event = 2000;
    return text_.size() / bytes_an_event + 1;
}

bool Ga4Rows::next(Row& row) {
    while (true) {
        if (!parser_->rows.empty()) {
            parser_->given = std::move(parser_->rows.front());
            parser_->rows.pop_front();
            row.line = parser_->line.line;
            row.text = parser_->line.text;
            row.problem.clear();
            row.advice.clear();
            row.cells.assign(parser_->given.begin(), parser_->given.end());
            return true;
        }
        if (position_ >= text_.size()) {
            return false;
        }
        if (read_line(row)) {
            row.cells.assign(columns_.size(), {});
            return true;
        }
    }
}

bool Ga4Rows::read_line(Row& row) {
    const auto end = std::min(text_.find('\n', position_), text_.size());
    const auto line = text_.substr(position_, end - position_);
    position_ = end + 1;
    ++line_;
    if (line.find_first_not_of(" \t\r") == line.npos) {
        return false;
    }
    const bool is_for_items = kind_ == TableKind::items;
    parser_->line.line = row.line = line_;
    parser_->line.text = row.text = line;
    object event;
    element document;
    auto error = parser_->dom.parse(line.data(), line.size(), true).get(document);
    if (error == simdjson::SUCCESS) {
        error = document.get(event);
    }
    if (error != simdjson::SUCCESS) {
        row.problem = fmt::format("is not a JSON object: {}", simdjson::error_message(error));
        row.advice = "export one event a line";
        return !is_for_items;  // counted when the events are read
    }
    const auto leave_out = [&](std::string_view reason) {
        if (!is_for_items) {
            context_.leave_out(reason);
        }
        return false;
    };
    const auto name = member(event, "event_name");
    simdjson::dom::array items;
    if (event.at_key("items").get(items) != simdjson::SUCCESS || items.size() == 0) {
        return leave_out("event without items (page_view, scroll, ...)");
    }
    if (!is_for_items && std::ranges::find(no_choices, name) != no_choices.end()) {
        return leave_out(name + ": shows items, or repeats or undoes a cart");
    }
    auto user = member(event, "user_pseudo_id");
    if (user.empty()) {
        user = member(event, "user_id");
    }
    if (user.empty() && !is_for_items) {
        return leave_out("event of nobody (no consent)");
    }
    std::string scratch;
    const std::string time{time_of_microseconds(member(event, "event_timestamp"), scratch)};
    const auto number = session_number(event);
    const auto session = number.empty() ? std::string{} : user + ":" + number;
    for (const auto entry : items) {
        object item;
        std::string id;
        if (entry.get(item) == simdjson::SUCCESS) {
            id = member(item, "item_id");
            id = id.empty() ? member(item, "item_name") : id;
        }
        if (id.empty()) {
            leave_out("item without item_id and item_name");
            continue;
        }
        if (is_for_items) {
            parser_->rows.push_back(item_row(item, std::move(id)));
        } else {
            parser_->rows.push_back({user, std::move(id), name, time, session});
        }
    }
    return false;
}

}  // namespace hg::data
