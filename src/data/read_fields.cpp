// SPDX-License-Identifier: Apache-2.0
#include "data/read_fields.hpp"

#include "data/cell.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace hg::data {
namespace {

constexpr auto no_column = std::numeric_limits<std::size_t>::max();

}  // namespace

FieldReader::FieldReader(Role role, const TableConfig& config, IdMap& ids, Rejections& rejections)
    : role_(role), config_(config), ids_(ids), rejections_(rejections) {}

Result<void> FieldReader::read(const std::filesystem::path& path, RowReader& rows) {
    targets_.clear();
    std::size_t id = no_column;
    std::size_t n_bound = 0;
    const auto bind_columns = [&]() -> Result<void> {
        if (auto fine = check_column_names(path, rows.columns()); !fine) {
            return fine;
        }
        HG_TRY(id, find_id_column(path, rows.columns(), role_, config_));
        bind(rows.columns(), id);
        n_bound = rows.columns().size();
        return {};
    };
    if (rows.has_header()) {
        if (auto bound = bind_columns(); !bound) {
            return bound;
        }
    }
    const auto file = path.filename().string();
    for (Row row; rows.next(row);) {
        ++rows_;
        std::string problem = row.problem;
        auto advice = row.advice.empty() ? std::string{"mend the row or drop it"} : row.advice;
        std::string reason = "broken row";
        if (problem.empty()) {
            if (rows.columns().size() != n_bound) {
                if (auto bound = bind_columns(); !bound) {
                    return bound;
                }
            }
            problem = take(row, id);
            reason = problem.substr(0, problem.find(" \""));
        }
        if (problem.empty()) {
            continue;
        }
        auto message = fmt::format("{}:{}: {}; {}", file, row.line, problem, advice);
        auto counted =
            rejections_.add({file, row.line, reason, std::move(message), std::string{row.text}});
        if (!counted) {
            return counted;
        }
    }
    return {};
}

Result<std::size_t> find_id_column(
    const std::filesystem::path& path,
    const std::vector<std::string>& columns,
    Role role,
    const TableConfig& config
) {
    if (!config.id.empty()) {
        const auto found = std::ranges::find(columns, config.id);
        if (found != columns.end()) {
            return static_cast<std::size_t>(found - columns.begin());
        }
    } else {
        if (const auto column = find_column(columns, role)) {
            return *column;
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (plain_name(columns[i]) == "id") {
                return i;
            }
        }
    }
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "{}: no {} id column{}; found {}",
            path.string(),
            to_string(role),
            config.id.empty() ? std::string{} : fmt::format(" \"{}\" (dataset.toml)", config.id),
            fmt::join(columns, ", ")
        ),
        fmt::format(
            "expected {0}_id or id, or name yours in dataset.toml: [{0}s] id = \"NAME\"",
            to_string(role)
        )
    );
}

FieldRule rule_of(std::string_view column, const TableConfig& config) {
    const auto typed = split_typed_name(column);
    const auto ruled = config.fields.find(std::string{typed.name});
    auto rule = ruled == config.fields.end() ? FieldRule{} : ruled->second;
    if (typed.type == "float_seq" && !rule.kind) {  // of RecBole; as words only noise
        rule.is_ignored = true;
    }
    return rule;
}

void FieldReader::bind(const std::vector<std::string>& columns, std::size_t id) {
    targets_.assign(columns.size(), no_column);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto typed = split_typed_name(columns[i]);
        if (i == id || typed.name.empty()) {
            continue;
        }
        const std::string name{typed.name};
        const auto rule = rule_of(columns[i], config_);
        if (rule.is_ignored) {
            continue;
        }
        const auto known = std::ranges::find(columns_, name, &RawColumn::name);
        targets_[i] = static_cast<std::size_t>(known - columns_.begin());
        if (known == columns_.end()) {
            columns_.push_back({name, std::string{typed.type}, rule, {}});
        }
    }
}

std::string FieldReader::take(const Row& row, std::size_t id) {
    const auto key = row.cells[id];
    if (const auto problem = id_problem(key); !problem.empty()) {
        return fmt::format("{} id {}", to_string(role_), problem);
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
        if (targets_[i] == no_column) {
            continue;
        }
        const auto& column = columns_[targets_[i]];
        if (!is_utf8(row.cells[i])) {
            return fmt::format(
                "{} is not UTF-8 (convert the file: iconv -f latin1 -t utf-8)", column.name
            );
        }
        const bool must_be_number = column.rule.kind == FieldKind::number;
        if (must_be_number && !is_missing(row.cells[i]) && !parse_number(row.cells[i])) {
            return fmt::format("{} is not a number: \"{}\"", column.name, row.cells[i]);
        }
    }
    const auto index = ids_.intern(key);
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
        if (targets_[i] == no_column) {
            continue;
        }
        auto& column = columns_[targets_[i]];
        const auto cell = row.cells[i];
        const bool is_title =
            plain_name(column.name) == "title" || plain_name(column.name) == "name";
        if (cell.empty() || (!is_title && is_missing(cell))) {
            continue;
        }
        if (column.cells.size() <= index) {
            column.cells.resize(std::max<std::size_t>(ids_.size(), index + 1));
        }
        column.cells[index] = cell;
    }
    return {};
}

Catalogue FieldReader::finish() && {
    std::vector<Field> fields;
    for (auto& column : columns_) {
        const bool has_any =
            std::ranges::any_of(column.cells, [](const auto& c) { return !c.empty(); });
        if (has_any) {
            fields.push_back(make_field(column, ids_.size()));
        }
        column.cells = {};
    }
    return {ids_.size(), std::move(fields)};
}

}  // namespace hg::data
