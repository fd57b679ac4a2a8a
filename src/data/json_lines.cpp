// SPDX-License-Identifier: Apache-2.0
#include "data/json_lines.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <deque>
#include <string>

namespace hg::data {

struct JsonLinesReader::Members {
    simdjson::dom::object object;
};

struct JsonLinesReader::Parser {
    simdjson::dom::parser dom;
    simdjson::padded_string tail;  // the last lines, copied: simdjson reads a little past the end
    std::deque<std::string> scratch;  // cells that are not strings in the source
    std::size_t scratch_used = 0;

    std::string& next_scratch() {
        if (scratch_used == scratch.size()) {
            scratch.emplace_back();
        }
        auto& out = scratch[scratch_used++];
        out.clear();
        return out;
    }
};

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

void append_scalar(std::string& out, const element& value) {
    switch (value.type()) {
        case element_type::STRING:
            out += std::string_view{value};
            break;
        case element_type::INT64:
            fmt::format_to(std::back_inserter(out), "{}", std::int64_t{value});
            break;
        case element_type::UINT64:
            fmt::format_to(std::back_inserter(out), "{}", std::uint64_t{value});
            break;
        case element_type::DOUBLE:
            fmt::format_to(std::back_inserter(out), "{}", double{value});
            break;
        case element_type::BOOL:
            out += bool{value} ? "true" : "false";
            break;
        case element_type::NULL_VALUE:
            break;
        case element_type::ARRAY:
        case element_type::OBJECT:
            out += simdjson::minify(value);
            break;
    }
}

}  // namespace

JsonLinesReader::JsonLinesReader(std::string_view text, Nested nested)
    : text_(text), nested_(nested), parser_(std::make_unique<Parser>()) {}

JsonLinesReader::~JsonLinesReader() = default;

std::size_t JsonLinesReader::estimated_rows() const {
    return estimated_lines(text_);
}

bool JsonLinesReader::next(Row& row) {
    while (position_ < text_.size()) {
        const auto end = std::min(text_.find('\n', position_), text_.size());
        const auto line = text_.substr(position_, end - position_);
        position_ = end + 1;
        ++line_;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        row.line = line_;
        row.text = line;
        row.problem.clear();
        row.advice.clear();
        row.cells.assign(columns_.size(), {});
        parse(row, line);
        return true;
    }
    return false;
}

void JsonLinesReader::parse(Row& row, std::string_view line) {
    const auto* const file_end = text_.data() + text_.size();
    const bool has_padding = file_end - (line.data() + line.size()) >=
                             static_cast<std::ptrdiff_t>(simdjson::SIMDJSON_PADDING);
    if (!has_padding) {
        parser_->tail = simdjson::padded_string{line};
    }
    const auto* const bytes = has_padding ? line.data() : parser_->tail.data();
    simdjson::dom::object object;
    element document;
    auto error = parser_->dom.parse(bytes, line.size(), false).get(document);
    if (error == simdjson::SUCCESS) {
        error = document.get(object);
    }
    if (error != simdjson::SUCCESS) {
        const bool is_list = line.find_first_not_of(" \t") == line.find('[');
        row.problem = fmt::format("is not a JSON object: {}", simdjson::error_message(error));
        row.advice = is_list ? "write one object a line: jq -c '.[]'" : "write one object a line";
        return;
    }
    parser_->scratch_used = 0;
    take_members(row, {object}, {});
}

void JsonLinesReader::take_members(Row& row, const Members& members, std::string_view prefix) {
    std::size_t guess = 0;
    for (const auto [key, value] : members.object) {
        const bool is_apart = value.is_object() && nested_ == Nested::taken_apart;
        if (is_apart && value.get_object().value_unsafe().size() > 0) {
            take_members(
                row, {value.get_object().value_unsafe()}, fmt::format("{}{}.", prefix, key)
            );
            continue;
        }
        const auto index =
            prefix.empty() ? column(key, guess) : column(fmt::format("{}{}", prefix, key), guess);
        guess = index + 1;
        row.cells.resize(columns_.size());
        if (value.is_string()) {
            row.cells[index] = value.get_string().value_unsafe();
        } else if (value.is_array()) {
            auto& out = parser_->next_scratch();
            const simdjson::dom::array words = value.get_array().value_unsafe();
            for (const auto word : words) {
                if (!out.empty()) {
                    out += list_separator;
                }
                append_scalar(out, word);
            }
            row.cells[index] = out;
        } else if (!value.is_null() && !is_apart) {
            auto& out = parser_->next_scratch();
            append_scalar(out, value);
            row.cells[index] = out;
        }
    }
}

std::size_t JsonLinesReader::column(std::string_view key, std::size_t guess) {
    if (guess < columns_.size() && columns_[guess] == key) {
        return guess;
    }
    const auto found = std::ranges::find(columns_, key);
    if (found == columns_.end()) {
        columns_.emplace_back(key);
        return columns_.size() - 1;
    }
    return static_cast<std::size_t>(found - columns_.begin());
}

}  // namespace hg::data
