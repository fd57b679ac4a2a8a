// SPDX-License-Identifier: Apache-2.0
// explain: how a raw folder would be read: which importer takes which file, which column becomes
// what, which event weighs how much, what is hashed, left out, rejected or ignored, and the first
// rows. Reads everything, writes nothing.
//
//   const auto told = value_or_throw(explain("my-shop"));
#pragma once

#include "core/error.hpp"
#include "data/raw_dataset.hpp"
#include "data/summary.hpp"
#include "data/table_kind.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace hg::data {

struct ExplainedColumn {
    std::string from;
    std::string becomes;  // "user", "item", "title (text)", "used"; empty = nothing
    std::string note;     // how, or why nothing becomes of it
};

/// A file as the source of one table.
struct ExplainedTable {
    std::string file;
    std::string importer;  // "shopify_orders"; "tables" or "recbole" for those read by name
    std::string summary;
    TableKind kind = TableKind::interactions;
    std::vector<ExplainedColumn> columns;
    std::vector<std::vector<std::pair<std::string, std::string>>> sample;  // (our column, cell)
};

struct ExplainedEvent {
    std::string name;
    float weight = 1;
    std::size_t events = 0;
    std::string reason;  // who says so
};

struct Explanation {
    std::vector<ExplainedTable> tables;
    std::vector<std::pair<std::string, std::string>> ignored_files;  // (name, why)
    std::vector<ExplainedEvent> events;
    ReadReport report;
    Summary summary;
};

[[nodiscard]] Result<Explanation> explain(const std::filesystem::path& folder);

[[nodiscard]] nlohmann::json to_json(const Explanation& explanation);

}  // namespace hg::data
