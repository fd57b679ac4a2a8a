// SPDX-License-Identifier: Apache-2.0
#include "serve/item_fields.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace hg::serve {
namespace {

using data::Field;
using data::FieldKind;
using nlohmann::json;

std::string text_of(const json& value) {
    if (value.is_string()) {
        return value.get<std::string>();
    }
    if (value.is_null()) {
        return {};
    }
    if (value.is_array()) {
        std::string joined;
        for (const auto& word : value) {
            if (!joined.empty()) {
                joined += ' ';
            }
            joined += text_of(word);
        }
        return joined;
    }
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> words_of(const json& value) {
    if (value.is_null()) {
        return {};
    }
    if (!value.is_array()) {
        return {text_of(value)};
    }
    std::vector<std::string> words;
    for (const auto& word : value) {
        words.push_back(text_of(word));
    }
    return words;
}

bool within(double number, const FilterCondition& condition) {
    return (!condition.min || number >= *condition.min) &&
           (!condition.max || number <= *condition.max);
}

bool has_word(const FilterCondition& condition, const std::string& word) {
    return std::ranges::find(condition.any_of, word) != condition.any_of.end();
}

json field_json(const Field& field, std::size_t row) {
    switch (field.kind) {
        case FieldKind::number:
            return field.numbers[row];
        case FieldKind::categories: {
            auto words = json::array();
            for (const auto code : field.row_codes(row)) {
                words.push_back(field.vocabulary[code]);
            }
            return words;
        }
        case FieldKind::text:
        case FieldKind::link:
        case FieldKind::category:
            return field.text(row);
    }
    return {};
}

/// One column, filled from the same key of every item.
Field column_of(std::span<const json> items, const Field& like) {
    Field column;
    column.name = like.name;
    column.kind = like.kind;
    std::unordered_map<std::string, std::uint32_t> codes;
    const bool has_codes = like.kind == FieldKind::category || like.kind == FieldKind::categories;
    if (has_codes) {
        column.code_offsets.push_back(0);
    }
    for (const auto& item : items) {
        const auto found = item.find(like.name);
        const json value = found == item.end() ? json{} : *found;
        bool is_present = !value.is_null();
        if (like.kind == FieldKind::number) {
            is_present = value.is_number();
            column.numbers.push_back(is_present ? value.get<float>() : 0.0F);
        } else if (has_codes) {
            const auto words = words_of(value);
            for (const auto& word : words) {
                const auto [code, is_new] =
                    codes.try_emplace(word, static_cast<std::uint32_t>(column.vocabulary.size()));
                if (is_new) {
                    column.vocabulary.push_back(word);
                }
                column.codes.push_back(code->second);
                if (like.kind == FieldKind::category) {
                    break;
                }
            }
            is_present = !words.empty();
            column.code_offsets.push_back(static_cast<std::int64_t>(column.codes.size()));
        } else {
            column.texts.push_back(text_of(value));
        }
        column.present.push_back(is_present ? 1 : 0);
    }
    return column;
}

}  // namespace

json fields_json(const data::Catalogue& catalogue, std::size_t row) {
    auto fields = json::object();
    for (const auto& field : catalogue.fields()) {
        if (field.present[row] != 0) {
            fields[field.name] = field_json(field, row);
        }
    }
    return fields;
}

data::Catalogue catalogue_of(std::span<const json> items, const data::Catalogue& like) {
    std::vector<Field> columns;
    for (const auto& field : like.fields()) {
        columns.push_back(column_of(items, field));
    }
    return {items.size(), std::move(columns)};
}

std::string title_of(const json& fields) {
    for (const auto* name : {"title", "name"}) {
        const auto found = fields.find(name);
        if (found != fields.end() && found->is_string()) {
            return found->get<std::string>();
        }
    }
    return {};
}

bool matches(const json& fields, const FilterCondition& condition) {
    const auto found = fields.find(condition.field);
    if (found == fields.end() || found->is_null()) {
        return false;
    }
    if (!condition.any_of.empty()) {
        return std::ranges::any_of(words_of(*found), [&](const auto& word) {
            return has_word(condition, word);
        });
    }
    return found->is_number() && within(found->get<double>(), condition);
}

bool matches(const data::Catalogue& catalogue, std::size_t row, const FilterCondition& condition) {
    const auto* field = catalogue.find(condition.field);
    if (field == nullptr || field->present[row] == 0) {
        return false;
    }
    if (condition.any_of.empty()) {
        return field->kind == FieldKind::number && within(field->numbers[row], condition);
    }
    if (field->kind == FieldKind::category || field->kind == FieldKind::categories) {
        return std::ranges::any_of(field->row_codes(row), [&](auto code) {
            return has_word(condition, field->vocabulary[code]);
        });
    }
    return has_word(condition, field->text(row));
}

}  // namespace hg::serve
