// SPDX-License-Identifier: Apache-2.0
// ImporterEntry: one kind of file that another program exports, as a row of a table.
//
// An importer is a file of importers/ and a line in importers/builtin.def. It says by which columns
// its files are known and what becomes of each column; `open` gives the rows of one of our tables
// (user_id, item_id, event, timestamp; item_id, title, ...), so everything behind it (readers,
// rejected rows, dataset.toml, --explain) is the same for all. docs/formats/importers.md lists them.
//
//   const auto head = value_or_throw(read_file_head("orders_export.csv"));
//   if (const auto* entry = recognise(head)) { auto rows = entry->open(path, kind, context); }
#pragma once

#include "core/error.hpp"
#include "data/file_head.hpp"
#include "data/import_context.hpp"
#include "data/row_reader.hpp"
#include "data/table_kind.hpp"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hg::data {

/// What becomes of one column of the export. Rules with the same `to` are alternatives: the first
/// that has a value in the row counts.
struct ColumnRule {
    /// As the export spells it; "Labels." = every column that begins so; empty = keeps a place.
    std::string_view from;
    std::string_view to;  // our column; empty for a prefix: what stands behind it
    /// The cell as we want it; may write into `scratch`. Null: as it is.
    std::string_view (*convert)(std::string_view cell, std::string& scratch) = nullptr;
    std::string_view note{};  // what convert does, for people
};

struct TableRules {
    TableKind kind = TableKind::interactions;
    std::span<const ColumnRule> columns;
};

struct EventRule {
    std::string_view name;
    float weight = 1;  // unless dataset.toml says something of events
};

/// Columns that are not read, and why; the others that no rule names are "not used".
struct LeftOutColumns {
    std::string_view prefix;
    std::string_view why;
};

struct ImporterEntry {
    std::string_view name;
    std::string_view summary;
    std::string_view files;                   // what such files are called
    std::span<const std::string_view> needs;  // columns it is known by: all of them are there
    std::span<const TableRules> tables;       // the first is what the file is for
    std::span<const EventRule> events{};
    std::span<const LeftOutColumns> left_out{};
    Result<std::unique_ptr<RowReader>> (*open)(
        const std::filesystem::path& path, TableKind kind, ImportContext& context
    );
    /// Reads what the rows of other files refer to (SKU -> product) before any is opened.
    Result<void> (*learn)(const std::filesystem::path& path, ImportContext& context) = nullptr;
};

[[nodiscard]] std::span<const ImporterEntry* const> importers();

/// The first importer whose columns are all there; null if none.
[[nodiscard]] const ImporterEntry* recognise(const FileHead& head);

/// The rules of that table; empty if the importer does not give it.
[[nodiscard]] std::span<const ColumnRule> rules_of(const ImporterEntry& entry, TableKind kind);

}  // namespace hg::data
