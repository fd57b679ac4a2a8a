// SPDX-License-Identifier: Apache-2.0
#include "data/mapped_rows.hpp"

#include "data/column_names.hpp"

#include <algorithm>
#include <utility>

namespace hg::data {

MappedRows::MappedRows(
    std::unique_ptr<RowReader> source,
    std::span<const ColumnRule> rules,
    Filter filter,
    ImportContext& context
)
    : source_(std::move(source)), rules_(rules), filter_(std::move(filter)), context_(context) {
    for (const auto& rule : rules_) {
        if (!rule.to.empty()) {
            (void)column(rule.to);
        }
    }
    bind();
}

std::size_t MappedRows::column(std::string_view name) {
    const auto found = std::ranges::find(columns_, name);
    if (found != columns_.end()) {
        return static_cast<std::size_t>(found - columns_.begin());
    }
    columns_.emplace_back(name);
    sources_.emplace_back();
    scratch_.emplace_back();
    return columns_.size() - 1;
}

void MappedRows::bind() {
    const auto& names = source_->columns();
    std::vector<std::string> plain(names.size());
    std::ranges::transform(names, plain.begin(), [](const auto& name) { return plain_name(name); });
    for (auto& sources : sources_) {
        sources.clear();
    }
    for (const auto& rule : rules_) {
        if (rule.from.empty()) {
            continue;  // keeps a place only
        }
        const auto wanted = plain_name(rule.from);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!rule.to.empty() && plain[i] == wanted) {
                sources_[column(rule.to)].push_back({i, &rule});
            } else if (rule.to.empty() && names[i].starts_with(rule.from) &&
                       names[i].size() > rule.from.size()) {
                const auto name = std::string_view{names[i]}.substr(rule.from.size());
                sources_[column(name)].push_back({i, &rule});
            }
        }
    }
    n_bound_ = names.size();
}

bool MappedRows::next(Row& row) {
    while (source_->next(raw_)) {
        if (source_->columns().size() != n_bound_) {
            bind();
        }
        row.line = raw_.line;
        row.text = raw_.text;
        row.problem = raw_.problem;
        row.advice = raw_.advice;
        row.cells.assign(columns_.size(), {});
        if (!row.problem.empty()) {
            return true;
        }
        map(row);
        const auto reason = filter_ ? filter_(row) : std::string_view{};
        if (reason.empty()) {
            return true;
        }
        context_.leave_out(reason);
    }
    return false;
}

void MappedRows::map(Row& row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        for (const auto& source : sources_[i]) {
            if (source.index >= raw_.cells.size()) {
                continue;
            }
            const auto cell = raw_.cells[source.index];
            auto* const convert = source.rule->convert;
            row.cells[i] = convert == nullptr || cell.empty() ? cell : convert(cell, scratch_[i]);
            if (!row.cells[i].empty()) {
                break;
            }
        }
    }
}

Result<std::unique_ptr<RowReader>> open_mapped(
    const std::filesystem::path& path,
    std::span<const ColumnRule> rules,
    ImportContext& context,
    MappedRows::Filter filter
) {
    HG_TRY(auto rows, open_export(path));
    return std::make_unique<MappedRows>(std::move(rows), rules, std::move(filter), context);
}

}  // namespace hg::data
