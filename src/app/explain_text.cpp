// SPDX-License-Identifier: Apache-2.0
#include "app/explain_text.hpp"

#include "data/time_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <vector>

namespace hg::app {
namespace {

template <typename... Args>
void add(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

void add_columns(std::string& text, const data::ExplainedTable& table) {
    std::size_t width = 0;
    for (const auto& column : table.columns) {
        width = column.becomes.empty() ? width : std::max(width, column.from.size());
    }
    std::map<std::string, std::vector<std::string>> left_out;
    for (const auto& [from, becomes, note] : table.columns) {
        const auto behind = note.empty() ? std::string{} : fmt::format("   {}", note);
        if (!becomes.empty()) {
            add(text, "    {:<{}}  ->  {}{}\n", from, width, becomes, behind);
        } else {
            left_out[note].push_back(from);
        }
    }
    for (const auto& [why, columns] : left_out) {
        add(text, "    left out ({}): {}\n", why, fmt::join(columns, ", "));
    }
}

void add_sample(std::string& text, const data::ExplainedTable& table) {
    for (const auto& row : table.sample) {
        std::vector<std::string> cells;
        for (const auto& [column, cell] : row) {
            cells.push_back(fmt::format("{}={}", column, cell));
        }
        add(text, "    e.g. {}\n", fmt::join(cells, "  "));
    }
}

void add_counts(
    std::string& text, std::string_view label, const std::map<std::string, std::size_t>& counts
) {
    for (const auto& [what, count] : counts) {
        add(text, "  {:<10} {} x {}\n", label, count, what);
    }
}

}  // namespace

std::string explain_text(const data::Explanation& told) {
    std::string text;
    for (const auto& table : told.tables) {
        add(text,
            "{} -> {}: {} ({})\n",
            table.file,
            to_string(table.kind),
            table.importer,
            table.summary);
        add_columns(text, table);
        add_sample(text, table);
    }
    add(text, "events\n");
    for (const auto& [name, weight, events, reason] : told.events) {
        add(text, "    {} x {}: weight {} ({})\n", events, name, weight, reason);
    }
    const auto& summary = told.summary;
    add(text,
        "together: {} events of {} users with {} items",
        summary.events,
        summary.users,
        summary.items);
    if (summary.time == "real") {
        add(text,
            ", {} to {} (UTC)\n",
            data::format_time(summary.first),
            data::format_time(summary.last));
    } else {
        add(text, ", without dates\n");
    }
    add_counts(text, "hashed", told.report.hashed);
    if (!told.report.hashed.empty()) {
        add(text, "             under a key made for this look; the dataset keeps its own\n");
    }
    add_counts(text, "left out", told.report.left_out);
    add_counts(text, "rejected", told.report.reasons);
    for (const auto& example : told.report.examples) {
        add(text, "    {}\n", example);
    }
    for (const auto& [file, why] : told.ignored_files) {
        add(text, "  {:<10} {}: {}\n", "not read", file, why);
    }
    add(text, "nothing was written; --out DATASET instead of --explain does it\n");
    return text;
}

}  // namespace hg::app
