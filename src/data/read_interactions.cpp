// SPDX-License-Identifier: Apache-2.0
#include "data/read_interactions.hpp"

#include "core/nearest.hpp"
#include "data/cell.hpp"
#include "data/column_names.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace hg::data {
namespace {

std::size_t index_of(Role role) {
    return static_cast<std::size_t>(role);
}

std::string shown(std::string_view cell) {
    constexpr std::size_t longest_shown = 40;
    if (cell.size() <= longest_shown) {
        return std::string{cell};
    }
    return fmt::format("{}...", cell.substr(0, longest_shown));
}

double milliseconds_per(TimeUnit unit) {
    switch (unit) {
        case TimeUnit::seconds:
            return 1e3;
        case TimeUnit::milliseconds:
            return 1;
        case TimeUnit::microseconds:
            return 1e-3;
    }
    return 1;
}

/// Milliseconds per unit for epoch times of this size; nothing for numbers too small to be dates.
/// 1e8 s is March 1973, and the same count of ms, us and ns lies three digits higher each.
std::optional<double> guess_scale(double typical) {
    if (typical < 1e8) {
        return std::nullopt;
    }
    if (typical < 1e11) {
        return 1e3;
    }
    if (typical < 1e14) {
        return 1;
    }
    if (typical < 1e17) {
        return 1e-3;
    }
    return 1e-6;
}

double median_of(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

Result<RoleColumns> find_roles(
    const std::filesystem::path& path, const RowReader& rows, const DatasetConfig& config
) {
    const auto& columns = rows.columns();
    RoleColumns found;
    for (const auto role : all_roles) {
        const auto mapped = config.columns.find(role);
        auto& column = found[index_of(role)];
        if (mapped == config.columns.end()) {
            column = find_column(columns, role);
            continue;
        }
        const auto place = std::ranges::find(columns, mapped->second);
        if (place != columns.end()) {
            column = static_cast<std::size_t>(place - columns.begin());
        } else if (rows.has_header()) {
            const std::vector<std::string_view> known{columns.begin(), columns.end()};
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "{}: dataset.toml takes the {} from column \"{}\", which is not there",
                    path.string(),
                    to_string(role),
                    mapped->second
                ),
                suggest(mapped->second, known)
            );
        }
    }
    return found;
}

InteractionReader::InteractionReader(
    const DatasetConfig& config, IdMap& users, IdMap& items, Rejections& rejections
)
    : config_(config), users_(users), items_(items), rejections_(rejections) {}

Result<void> InteractionReader::read(const std::filesystem::path& path, RowReader& rows) {
    out_.events.reserve(out_.events.size() + rows.estimated_rows());
    raw_times_.reserve(out_.events.capacity());
    columns_ = {};
    std::size_t n_bound = 0;
    const auto bind_columns = [&]() -> Result<void> {
        n_bound = rows.columns().size();
        return bind(path, rows);
    };
    if (!rows.columns().empty()) {  // JSON lines have no header: their columns come with the rows
        if (auto bound = bind_columns(); !bound) {
            return bound;
        }
        if (auto has = require(path, rows, Role::user); !has) {
            return has;
        }
        if (auto has = require(path, rows, Role::item); !has) {
            return has;
        }
    }
    const auto file = path.filename().string();
    for (Row row; rows.next(row);) {
        ++out_.rows;
        if (rows.columns().size() != n_bound) {
            if (auto bound = bind_columns(); !bound) {
                return bound;
            }
        }
        std::optional<Complaint> complaint;
        if (row.problem.empty()) {
            complaint = take(row);
        } else {
            complaint = Complaint{"broken row", row.problem, row.advice};
        }
        if (!complaint) {
            continue;
        }
        auto message =
            fmt::format("{}:{}: {}; {}", file, row.line, complaint->problem, complaint->advice);
        auto counted = rejections_.add(
            {file, row.line, complaint->reason, std::move(message), std::string{row.text}}
        );
        if (!counted) {
            return counted;
        }
    }
    if (auto has = require(path, rows, Role::user); !has) {
        return has;
    }
    return require(path, rows, Role::item);
}

Result<void> InteractionReader::bind(const std::filesystem::path& path, const RowReader& rows) {
    const auto& columns = rows.columns();
    if (auto fine = check_column_names(path, columns); !fine) {
        return fine;
    }
    HG_TRY(columns_, find_roles(path, rows, config_));
    std::vector<bool> used(columns.size());
    for (const auto role : all_roles) {
        if (const auto column = columns_[index_of(role)]) {
            names_[index_of(role)] = split_typed_name(columns[*column]).name;
            used[*column] = true;
        }
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (used[i] || columns[i].empty()) {
            continue;
        }
        if (std::ranges::find(out_.unused_columns, columns[i]) == out_.unused_columns.end()) {
            out_.unused_columns.push_back(columns[i]);
        }
    }
    return {};
}

Result<void> InteractionReader::require(
    const std::filesystem::path& path, const RowReader& rows, Role role
) {
    if (columns_[index_of(role)]) {
        return {};
    }
    const auto& columns = rows.columns();
    constexpr std::size_t aliases_shown = 4;
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "{}: no {} column; found {}",
            path.string(),
            to_string(role),
            columns.empty() ? "no columns at all" : fmt::format("{}", fmt::join(columns, ", "))
        ),
        fmt::format(
            "the first line must name the columns; expected {}_id (or {}, ...), or map yours in "
            "dataset.toml: "
            "[columns] {} = \"NAME\"",
            to_string(role),
            fmt::join(aliases(role).subspan(1, aliases_shown), ", "),
            to_string(role)
        )
    );
}

std::optional<InteractionReader::Complaint> InteractionReader::take(const Row& row) {
    const auto user = cell(row, Role::user);
    const auto item = cell(row, Role::item);
    for (const auto& [role, text] : {std::pair{Role::user, user}, std::pair{Role::item, item}}) {
        if (const auto problem = id_problem(text); !problem.empty()) {
            const auto& name = column_name(role);
            return Complaint{
                fmt::format("{} {}", name, problem),
                fmt::format("{} {}", name, problem),
                "give every row a user and an item id in UTF-8"
            };
        }
    }
    const auto session = cell(row, Role::session);
    if (const auto problem = id_problem(session); !is_missing(session) && !problem.empty()) {
        const auto complaint = fmt::format("{} {}", column_name(Role::session), problem);
        return Complaint{complaint, complaint, "name the visit in UTF-8, or leave it empty"};
    }
    const auto type = cell(row, Role::event);
    if (const auto problem = id_problem(type); !type.empty() && !problem.empty()) {
        const auto complaint = fmt::format("{} {}", column_name(Role::event), problem);
        return Complaint{complaint, complaint, "use short names such as click or purchase"};
    }
    Interaction event;
    double raw_time = 0;
    if (auto bad = take_value(cell(row, Role::value), event)) {
        return bad;
    }
    if (auto bad = take_time(cell(row, Role::time), event, raw_time)) {
        return bad;
    }
    if (auto bad = take_propensity(cell(row, Role::propensity), event)) {
        return bad;
    }
    event.user = UserId{users_.intern(user)};
    event.item = ItemId{items_.intern(item)};
    event.type = event_type(type);
    if (!is_missing(session)) {
        event.session = session_names_.intern(session);
    }
    event.weight = out_.types[event.type.index()].weight;
    if (config_.rating_threshold && event.value < *config_.rating_threshold) {
        event.weight = config_.rating_below;
    }
    out_.events.push_back(event);
    if (time_text_ == TimeText::number) {
        raw_times_.push_back(raw_time);
    }
    return std::nullopt;
}

std::optional<InteractionReader::Complaint> InteractionReader::take_value(
    std::string_view text, Interaction& event
) const {
    if (is_missing(text)) {
        return std::nullopt;
    }
    if (const auto number = parse_number(text)) {
        event.value = static_cast<float>(*number);
        return std::nullopt;
    }
    const auto& name = column_name(Role::value);
    return Complaint{
        name + " is not a number",
        fmt::format("{} \"{}\" is not a number", name, shown(text)),
        "use 1-5 or drop the column"
    };
}

std::optional<InteractionReader::Complaint> InteractionReader::take_time(
    std::string_view text, Interaction& event, double& raw
) {
    if (!columns_[index_of(Role::time)] || config_.time == TimeKind::none) {
        return std::nullopt;
    }
    const auto& name = column_name(Role::time);
    if (is_missing(text)) {
        if (time_text_ == TimeText::unknown) {
            return std::nullopt;
        }
        return Complaint{
            name + " is missing", name + " is missing", "give every row a time, or drop the column"
        };
    }
    if (time_text_ != TimeText::iso) {
        if (const auto number = parse_number(text)) {
            if (time_text_ == TimeText::unknown && !out_.events.empty()) {
                return Complaint{
                    name + " is missing above",
                    fmt::format("{} has a value, rows above have none", name),
                    "give every row a time, or drop the column"
                };
            }
            constexpr double year_9999_in_ns = 2.534e20;  // the finest unit there is
            if (std::abs(*number) > year_9999_in_ns) {
                return Complaint{
                    name + " is not a time",
                    fmt::format("{} {} is no time in any unit", name, shown(text)),
                    "use seconds since 1970 or 2024-03-01 12:30:00"
                };
            }
            time_text_ = TimeText::number;
            raw = *number;
            return std::nullopt;
        }
    }
    if (time_text_ != TimeText::number) {
        if (const auto time = parse_iso_time(trim(text))) {
            time_text_ = TimeText::iso;
            event.time = *time;
            return std::nullopt;
        }
    }
    return Complaint{
        name + " is not a time",
        fmt::format("{} \"{}\" is not a time", name, shown(text)),
        time_text_ == TimeText::iso ? "write 2024-03-01 12:30:00 as in the rows above"
                                    : "use seconds since 1970 or 2024-03-01 12:30:00"
    };
}

std::optional<InteractionReader::Complaint> InteractionReader::take_propensity(
    std::string_view text, Interaction& event
) const {
    if (is_missing(text)) {
        return std::nullopt;
    }
    const auto number = parse_number(text);
    if (number && *number > 0 && *number <= 1) {
        event.propensity = static_cast<float>(*number);
        return std::nullopt;
    }
    const auto& name = column_name(Role::propensity);
    return Complaint{
        name + " is not a probability",
        fmt::format("{} \"{}\" is not a probability", name, shown(text)),
        "use a number above 0 and at most 1, or leave it empty"
    };
}

std::string_view InteractionReader::cell(const Row& row, Role role) const {
    const auto column = columns_[index_of(role)];
    return column && *column < row.cells.size() ? row.cells[*column] : std::string_view{};
}

const std::string& InteractionReader::column_name(Role role) const {
    static const std::string ids = "id";
    const auto& name = names_[index_of(role)];
    return name.empty() ? ids : name;
}

EventTypeId InteractionReader::event_type(std::string_view name) {
    if (name.empty()) {
        const bool is_rating = columns_[index_of(Role::value)].has_value();
        name = columns_[index_of(Role::event)] ? "event" : is_rating ? "rating" : "interaction";
    }
    const auto id = type_names_.intern(name);
    if (id == out_.types.size()) {
        out_.types.push_back({
            .name = std::string{name},
            .weight = config_.weight_of(name),
            .is_purchase = config_.is_purchase(name),
        });
    }
    return EventTypeId{id};
}

EventsRead InteractionReader::finish() && {
    out_.time_kind = settle_times();
    if (out_.types.empty()) {
        (void)event_type({});
    }
    put_default_type_first();
    return std::move(out_);
}

TimeKind InteractionReader::settle_times() {
    if (time_text_ == TimeText::unknown || config_.time == TimeKind::none || out_.events.empty()) {
        return TimeKind::none;
    }
    if (time_text_ == TimeText::iso) {
        return config_.time.value_or(TimeKind::real);
    }
    const auto guessed = guess_scale(median_of(raw_times_));
    const auto kind = config_.time.value_or(guessed ? TimeKind::real : TimeKind::order);
    double scale = 1;
    if (kind == TimeKind::real) {
        scale = config_.time_unit ? milliseconds_per(*config_.time_unit) : guessed.value_or(1e3);
    }
    constexpr double limit = 9e18;
    for (std::size_t i = 0; i < raw_times_.size(); ++i) {
        out_.events[i].time =
            static_cast<TimeMs>(std::clamp(std::floor(raw_times_[i] * scale), -limit, limit));
    }
    return kind;
}

void InteractionReader::put_default_type_first() {
    std::vector<std::size_t> counts(out_.types.size());
    for (const auto& event : out_.events) {
        ++counts[event.type.index()];
    }
    std::size_t best = 0;
    bool found = false;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (out_.types[i].weight > 0 && (!found || counts[i] > counts[best])) {
            best = i;
            found = true;
        }
    }
    if (best == 0) {
        return;
    }
    std::swap(out_.types[0], out_.types[best]);
    for (auto& event : out_.events) {
        if (event.type.index() == 0) {
            event.type = EventTypeId{static_cast<std::uint32_t>(best)};
        } else if (event.type.index() == best) {
            event.type = EventTypeId{0};
        }
    }
}

}  // namespace hg::data
