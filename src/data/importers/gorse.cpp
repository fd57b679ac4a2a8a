// SPDX-License-Identifier: Apache-2.0
// Gorse's dumps: feedback, items and users as JSON lines, with the names of its REST API.
//
// Labels are an object ({"genre": ["drama"]}: each member is a field) or, in older versions, a list.
#include "data/importer.hpp"
#include "data/mapped_rows.hpp"

#include <array>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 3> feedback_needs{"FeedbackType", "UserId", "ItemId"};
constexpr std::array<ColumnRule, 5> feedback_rules{{
    {.from = "UserId", .to = "user_id"},
    {.from = "ItemId", .to = "item_id"},
    {.from = "FeedbackType", .to = "event"},
    {.from = "Timestamp", .to = "timestamp"},
    {.from = "Value", .to = "value"},
}};
constexpr std::array<TableRules, 1> feedback_tables{{{TableKind::interactions, feedback_rules}}};
constexpr std::array<EventRule, 1> feedback_events{{{.name = "read", .weight = 0}}};
constexpr std::array<LeftOutColumns, 2> left_out{{
    {"Comment", "a note of the shop, not of the item or user"},
    {"Timestamp", "when the row was written"},
}};

constexpr std::array<std::string_view, 2> item_needs{"ItemId", "Labels"};
constexpr std::array<std::string_view, 2> user_needs{"UserId", "Labels"};

/// Labels may hold vectors; as words they would only be noise.
std::string_view label(std::string_view cell, std::string& /*scratch*/) {
    const auto word = cell.substr(0, cell.find(list_separator));
    const bool is_vector = word.size() < cell.size() && word.find('.') != word.npos &&
                           word.find_first_not_of("-+.eE0123456789") == word.npos;
    return is_vector ? std::string_view{} : cell;
}

constexpr std::string_view no_vectors = "vectors are left out";
constexpr std::array<ColumnRule, 6> item_rules{{
    {.from = "ItemId", .to = "item_id"},
    {.from = "Categories", .to = "categories"},
    {.from = "Labels", .to = "labels", .convert = &label, .note = no_vectors},
    {.from = "Labels.", .to = {}, .convert = &label, .note = no_vectors},
    {.from = "Comment", .to = "description"},
    {.from = "IsHidden", .to = "is_hidden"},
}};
constexpr std::array<ColumnRule, 3> user_rules{{
    {.from = "UserId", .to = "user_id"},
    {.from = "Labels", .to = "labels", .convert = &label, .note = no_vectors},
    {.from = "Labels.", .to = {}, .convert = &label, .note = no_vectors},
}};
constexpr std::array<TableRules, 1> item_tables{{{TableKind::items, item_rules}}};
constexpr std::array<TableRules, 1> user_tables{{{TableKind::users, user_rules}}};

Result<std::unique_ptr<RowReader>> open_feedback(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, feedback_rules, context);
}

Result<std::unique_ptr<RowReader>> open_items(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, item_rules, context);
}

Result<std::unique_ptr<RowReader>> open_users(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, user_rules, context);
}

}  // namespace

extern const ImporterEntry gorse_feedback{
    .name = "gorse_feedback",
    .summary = "Gorse: feedback (JSON lines)",
    .files = "feedback.jsonl",
    .needs = feedback_needs,
    .tables = feedback_tables,
    .events = feedback_events,
    .left_out = left_out,
    .open = &open_feedback,
};

extern const ImporterEntry gorse_items{
    .name = "gorse_items",
    .summary = "Gorse: items (JSON lines)",
    .files = "items.jsonl",
    .needs = item_needs,
    .tables = item_tables,
    .left_out = left_out,
    .open = &open_items,
};

extern const ImporterEntry gorse_users{
    .name = "gorse_users",
    .summary = "Gorse: users (JSON lines)",
    .files = "users.jsonl",
    .needs = user_needs,
    .tables = user_tables,
    .left_out = left_out,
    .open = &open_users,
};

}  // namespace hg::data
