// SPDX-License-Identifier: Apache-2.0
// RawFiles: which files of a folder hold interactions, items and users, and who reads them.
//
// Exports of other programs are known by their columns (importer.hpp). Of the other files:
// interactions.csv, interactions_2024.csv.gz ... or everything in a folder interactions/; the same
// for items and users. Without them, RecBole's STEM.inter/.item/.user and MovieLens' ratings.csv
// and movies.csv are taken. Several files of a kind are read in the order of their names.
#pragma once

#include "core/error.hpp"
#include "data/dataset_config.hpp"
#include "data/import_context.hpp"
#include "data/importer.hpp"
#include "data/row_reader.hpp"
#include "data/table_kind.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace hg::data {

/// A file as the source of one table.
struct TableSource {
    std::filesystem::path path;
    TableKind kind = TableKind::interactions;
    const ImporterEntry* importer = nullptr;  // null: a table of ours, by its name
};

struct IgnoredFile {
    std::filesystem::path path;
    std::string why;
};

struct RawFiles {
    std::vector<TableSource> sources;  // interactions, then items, then users; some interactions
    std::vector<IgnoredFile> ignored;  // that look like tables

    [[nodiscard]] std::vector<TableSource> of(TableKind kind) const;
};

/// Fails, saying what was found and what is expected, when the folder has no interactions.
[[nodiscard]] Result<RawFiles> find_raw_files(
    const std::filesystem::path& folder, Importers importers = Importers::by_columns
);

/// Lets each importer learn what the others' rows refer to.
[[nodiscard]] Result<void> learn_references(const RawFiles& files, ImportContext& context);

[[nodiscard]] Result<std::unique_ptr<RowReader>> open_source(
    const TableSource& source, ImportContext& context
);

}  // namespace hg::data
