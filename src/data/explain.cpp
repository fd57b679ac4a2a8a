// SPDX-License-Identifier: Apache-2.0
#include "data/explain.hpp"

#include "data/binary_dataset.hpp"
#include "data/cell.hpp"
#include "data/column_names.hpp"
#include "data/dataset_config.hpp"
#include "data/hidden_rows.hpp"
#include "data/raw_files.hpp"
#include "data/read_fields.hpp"
#include "data/read_interactions.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace hg::data {
namespace {

constexpr std::size_t sample_rows = 3;
constexpr std::size_t longest_cell = 60;

std::string shown(std::string_view cell) {
    std::string text{cell.substr(0, longest_cell)};
    while (!text.empty() && !is_utf8(text)) {  // cut inside a letter
        text.pop_back();
    }
    std::ranges::replace(text, list_separator, '|');
    return cell.size() > longest_cell ? text + "..." : text;
}

/// Writes down what becomes of the columns of one source, given what came of the whole folder.
class TableExplainer {
  public:
    TableExplainer(const TableSource& source, const DatasetConfig& config, const Dataset& data)
        : source_(source), config_(config), data_(data) {}

    Result<ExplainedTable> explain(RowReader& rows) {
        const auto extension = table_extension(source_.path);
        const bool is_recbole =
            extension == ".inter" || extension == ".item" || extension == ".user";
        table_.file = source_.path.filename().string();
        table_.kind = source_.kind;
        table_.importer = source_.importer != nullptr ? std::string{source_.importer->name}
                          : is_recbole                ? "recbole"
                                                      : "tables";
        table_.summary = source_.importer != nullptr ? std::string{source_.importer->summary}
                         : is_recbole                ? "RecBole atomic file, by its ending"
                                                     : "a table of ours, by its name";
        take_sample(rows);
        if (source_.importer != nullptr) {
            HG_TRY(const auto head, read_file_head(source_.path));
            explain_rules(head);
        } else if (source_.kind == TableKind::interactions) {
            HG_TRY(const auto roles, find_roles(source_.path, rows, config_));
            explain_roles(rows.columns(), roles);
        } else {
            const auto role = source_.kind == TableKind::items ? Role::item : Role::user;
            HG_TRY(const auto id, find_id_column(source_.path, rows.columns(), role, table()));
            explain_fields(rows.columns(), id);
        }
        return std::move(table_);
    }

  private:
    [[nodiscard]] const TableConfig& table() const {
        return source_.kind == TableKind::items ? config_.items : config_.users;
    }

    /// Files without a header tell their columns row by row, so a thousand rows are looked at.
    void take_sample(RowReader& rows) {
        constexpr std::size_t rows_looked_at = 1000;
        std::size_t n = 0;
        for (Row row; n < rows_looked_at && rows.next(row); ++n) {
            if (!row.problem.empty() || table_.sample.size() == sample_rows) {
                continue;
            }
            auto& cells = table_.sample.emplace_back();
            for (std::size_t i = 0; i < row.cells.size(); ++i) {
                if (!row.cells[i].empty()) {
                    cells.emplace_back(rows.columns()[i], shown(row.cells[i]));
                }
            }
        }
    }

    void explain_rules(const FileHead& head) {
        const auto rules = rules_of(*source_.importer, source_.kind);
        std::vector<bool> used(head.columns.size());
        for (const auto& rule : rules) {
            const auto n_before = table_.columns.size();
            for (std::size_t i = 0; i < head.columns.size(); ++i) {
                const bool is_prefix =
                    rule.to.empty() && !rule.from.empty() && head.columns[i].starts_with(rule.from);
                if (!is_prefix && plain_name(head.columns[i]) != plain_name(rule.from)) {
                    continue;
                }
                const auto to = is_prefix
                                    ? std::string_view{head.columns[i]}.substr(rule.from.size())
                                    : rule.to;
                used[i] = true;
                add_mapped(head.columns[i], to, rule.note);
            }
            if (table_.columns.size() == n_before && rule.from.find('[') != rule.from.npos) {
                add_mapped(rule.from, rule.to, rule.note);
            }
        }
        const bool is_main = source_.importer->tables[0].kind == source_.kind;
        for (std::size_t i = 0; is_main && i < used.size(); ++i) {
            if (!used[i] && !is_inside(rules, head.columns[i])) {
                table_.columns.push_back({head.columns[i], {}, why_left_out(head.columns[i])});
            }
        }
    }

    void add_mapped(std::string_view from, std::string_view to, std::string_view note) {
        auto meaning = becomes(to);
        if (meaning.empty() && source_.kind == TableKind::interactions) {
            meaning = "used";  // to join lines, to find the product
        } else if (meaning.empty()) {
            note = "has no value";
        }
        table_.columns.push_back({std::string{from}, std::move(meaning), std::string{note}});
    }

    /// Whether a rule reads from inside the column: "items[].item_id" of "items".
    static bool is_inside(std::span<const ColumnRule> rules, std::string_view column) {
        return std::ranges::any_of(rules, [column](const auto& rule) {
            return rule.from.starts_with(column) &&
                   rule.from.substr(column.size()).starts_with('[');
        });
    }

    [[nodiscard]] std::string why_left_out(std::string_view column) const {
        for (const auto& [prefix, why] : source_.importer->left_out) {
            if (column.starts_with(prefix)) {
                return std::string{why};
            }
        }
        return "not used";
    }

    /// What a column of ours is: a role, or a field with its kind.
    [[nodiscard]] std::string becomes(std::string_view column) const {
        if (source_.kind == TableKind::interactions) {
            const std::vector<std::string> one{std::string{column}};
            for (const auto role : all_roles) {
                if (find_column(one, role)) {
                    return std::string{to_string(role)};
                }
            }
            return std::string{};
        }
        const bool is_items = source_.kind == TableKind::items;
        if (column == (is_items ? "item_id" : "user_id")) {
            return is_items ? "item" : "user";
        }
        const auto& fields = is_items ? data_.item_fields : data_.user_fields;
        const auto* const field = fields.find(field_name(column));
        return field == nullptr ? std::string{}
                                : fmt::format("{} ({})", field->name, to_string(field->kind));
    }

    void explain_roles(const std::vector<std::string>& columns, const RoleColumns& roles) {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            ExplainedColumn column{.from = columns[i], .becomes = {}, .note = "not used"};
            for (const auto role : all_roles) {
                if (roles[static_cast<std::size_t>(role)] == i) {
                    column.becomes = to_string(role);
                    column.note = config_.columns.contains(role) ? "says dataset.toml" : "";
                }
            }
            table_.columns.push_back(std::move(column));
        }
    }

    void explain_fields(const std::vector<std::string>& columns, std::size_t id) {
        const auto what = source_.kind == TableKind::items ? "item" : "user";
        for (std::size_t i = 0; i < columns.size(); ++i) {
            ExplainedColumn column{.from = columns[i], .becomes = {}, .note = {}};
            const auto rule = rule_of(columns[i], table());
            if (i == id) {
                column.becomes = what;
            } else if (rule.is_ignored) {
                column.note = "vectors and what dataset.toml ignores are not read";
            } else {
                column.becomes = becomes(columns[i]);
                column.note = column.becomes.empty() ? "has no value"
                              : rule.kind            ? "says dataset.toml"
                                                     : "";
            }
            table_.columns.push_back(std::move(column));
        }
    }

    const TableSource& source_;
    const DatasetConfig& config_;
    const Dataset& data_;
    ExplainedTable table_;
};

std::string reason_of_weight(
    std::string_view event, const RawFiles& files, const DatasetConfig& config
) {
    if (config.weights.contains(std::string{event}) || config.default_weight) {
        return "dataset.toml";
    }
    for (const auto& source : files.sources) {
        if (source.importer == nullptr) {
            continue;
        }
        const auto& events = source.importer->events;
        if (std::ranges::find(events, event, &EventRule::name) != events.end()) {
            return std::string{source.importer->name};
        }
    }
    return default_event_weight(event) == 1 ? "every event weighs 1" : "by its name";
}

nlohmann::json to_json(const ExplainedTable& table) {
    auto columns = nlohmann::json::array();
    for (const auto& [from, becomes, note] : table.columns) {
        columns.push_back({{"from", from}, {"becomes", becomes}, {"note", note}});
    }
    auto sample = nlohmann::json::array();
    for (const auto& row : table.sample) {
        auto cells = nlohmann::json::object();
        for (const auto& [column, cell] : row) {
            cells[column] = cell;
        }
        sample.push_back(std::move(cells));
    }
    return {
        {"file", table.file},
        {"importer", table.importer},
        {"summary", table.summary},
        {"table", to_string(table.kind)},
        {"columns", columns},
        {"sample", sample},
    };
}

}  // namespace

Result<Explanation> explain(const std::filesystem::path& folder) {
    if (is_binary_dataset(folder)) {
        return fail(
            ErrorCode::invalid_argument,
            folder.string() + ": is a dataset already, nothing is mapped",
            "honeyguide ingest DATASET --out OTHER filters it"
        );
    }
    HG_TRY(const auto config, load_dataset_config(folder));
    HG_TRY(const auto files, find_raw_files(folder, config.importers));
    const auto pseudonyms = Pseudonyms::make();
    HG_TRY(auto raw, read_raw_dataset(folder, {.pseudonyms = &pseudonyms}));
    ImportContext context;
    if (auto learned = learn_references(files, context); !learned) {
        return std::unexpected(learned.error());
    }
    Explanation told;
    for (const auto& source : files.sources) {
        HG_TRY(const auto rows, open_source(source, context));
        HiddenCells hidden;
        HiddenRows safe{*rows, {.kind = source.kind}, &pseudonyms, hidden};
        HG_TRY(auto table, TableExplainer(source, config, raw.data).explain(safe));
        told.tables.push_back(std::move(table));
    }
    for (const auto& [path, why] : files.ignored) {
        told.ignored_files.emplace_back(path.filename().string(), why);
    }
    told.summary = summarise(raw.data);
    for (const auto& type : told.summary.types) {
        told.events.push_back(
            {type.name, type.weight, type.events, reason_of_weight(type.name, files, config)}
        );
    }
    told.report = std::move(raw.report);
    return told;
}

nlohmann::json to_json(const Explanation& explanation) {
    auto tables = nlohmann::json::array();
    for (const auto& table : explanation.tables) {
        tables.push_back(to_json(table));
    }
    auto events = nlohmann::json::array();
    for (const auto& [name, weight, count, reason] : explanation.events) {
        events.push_back({{"name", name}, {"weight", weight}, {"events", count}, {"reason", reason}}
        );
    }
    auto ignored = nlohmann::json::array();
    for (const auto& [file, why] : explanation.ignored_files) {
        ignored.push_back({{"file", file}, {"why", why}});
    }
    const auto& report = explanation.report;
    return {
        {"tables", tables},
        {"events", events},
        {"ignored_files", ignored},
        {"hashed_cells", report.hashed},
        {"left_out", report.left_out},
        {"rows", report.rows},
        {"rejected",
         {{"count", report.rejected}, {"reasons", report.reasons}, {"examples", report.examples}}},
        {"summary", to_json(explanation.summary)},
    };
}

}  // namespace hg::data
