// SPDX-License-Identifier: Apache-2.0
#include "data/open_bandit.hpp"

#include "data/cell.hpp"
#include "data/row_reader.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {
namespace {

constexpr std::string_view affinity_prefix = "user-item_affinity_";
constexpr std::string_view feature_prefix = "user_feature_";

/// Where the columns stand.
struct Layout {
    std::size_t timestamp = 0, item = 0, position = 0, click = 0, score = 0;
    std::optional<std::size_t> recommendation, user, policy, kind;
    std::vector<std::size_t> features;
    std::vector<std::size_t> affinities;
    std::vector<std::string> candidates;
};

class Columns {
  public:
    Columns(const std::vector<std::string>& names, std::string file)
        : names_(names), file_(std::move(file)) {}

    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const {
        const auto found = std::ranges::find(names_, name);
        return found == names_.end()
                   ? std::nullopt
                   : std::optional{static_cast<std::size_t>(found - names_.begin())};
    }

    [[nodiscard]] Result<std::size_t> need(std::string_view name) const {
        if (const auto place = find(name)) {
            return *place;
        }
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} has no column {}", file_, name),
            "an Open Bandit file has timestamp, item_id, position, click and propensity_score"
        );
    }

  private:
    const std::vector<std::string>& names_;
    std::string file_;
};

Result<Layout> find_layout(const std::vector<std::string>& names, const std::string& file) {
    const Columns columns{names, file};
    Layout layout;
    HG_TRY(layout.timestamp, columns.need("timestamp"));
    HG_TRY(layout.item, columns.need("item_id"));
    HG_TRY(layout.position, columns.need("position"));
    HG_TRY(layout.click, columns.need("click"));
    HG_TRY(layout.score, columns.need("propensity_score"));
    layout.recommendation = columns.find("recommendation_id");
    layout.user = columns.find("user_id");
    layout.policy = columns.find("policy");
    layout.kind = columns.find("pscore_type");
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i].starts_with(affinity_prefix)) {
            layout.affinities.push_back(i);
            layout.candidates.push_back(names[i].substr(affinity_prefix.size()));
        } else if (names[i].starts_with(feature_prefix)) {
            layout.features.push_back(i);
        }
    }
    return layout;
}

Result<double> number_of(const Row& row, std::size_t column, std::string_view name) {
    const auto number = parse_number(row.cells[column]);
    if (!number) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} is \"{}\", expected a number", name, row.cells[column])
        );
    }
    return *number;
}

Result<LoggedSlot> slot_of(const Row& row, const Layout& layout) {
    LoggedSlot slot{.item_id = std::string{trim(row.cells[layout.item])}};
    HG_TRY(slot.propensity, number_of(row, layout.score, "propensity_score"));
    HG_TRY(slot.reward, number_of(row, layout.click, "click"));
    if (slot.reward == 0 || slot.reward == 1) {
        slot.clicked = slot.reward == 1;
    }
    HG_TRY(const auto position, number_of(row, layout.position, "position"));
    constexpr double most = 1e6;
    if (!(position >= 1 && position <= most)) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("position is {}, expected a place counted from 1", position)
        );
    }
    slot.position = static_cast<std::int32_t>(position) - 1;
    return slot;
}

std::string user_of(const Row& row, const Layout& layout) {
    if (layout.user) {
        return std::string{trim(row.cells[*layout.user])};
    }
    std::string joined;
    for (const auto column : layout.features) {
        joined += joined.empty() ? "" : "/";
        joined += trim(row.cells[column]);
    }
    return joined;
}

Result<ImpressionRow> decision_of(const Row& row, const Layout& layout, const std::string& policy) {
    ImpressionRow impression;
    impression.recommendation_id = layout.recommendation
                                       ? std::string{trim(row.cells[*layout.recommendation])}
                                       : fmt::format("line-{}", row.line);
    impression.user_id = user_of(row, layout);
    impression.policy = layout.policy ? std::string{trim(row.cells[*layout.policy])} : policy;
    impression.candidates = layout.candidates;
    if (const auto text = trim(row.cells[layout.timestamp]); !text.empty()) {
        impression.timestamp = parse_iso_time(text);
        if (!impression.timestamp) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("timestamp is \"{}\", expected a date and time", text)
            );
        }
    }
    for (const auto column : layout.affinities) {
        HG_TRY(const auto affinity, number_of(row, column, "an affinity"));
        impression.state.push_back(static_cast<float>(affinity));
    }
    HG_TRY(auto slot, slot_of(row, layout));
    impression.slots.push_back(std::move(slot));
    return impression;
}

/// Collects the rows of one recommendation, then hands the decision to the log.
class Gatherer {
  public:
    Gatherer(const Layout& layout, std::string policy)
        : layout_(layout), policy_(std::move(policy)) {}

    Result<void> add(const Row& row) {
        if (!row.problem.empty()) {
            return fail(ErrorCode::invalid_argument, row.problem, row.advice);
        }
        const bool same = waiting_ && layout_.recommendation &&
                          waiting_->recommendation_id == trim(row.cells[*layout_.recommendation]);
        if (same) {
            HG_TRY(auto slot, slot_of(row, layout_));
            waiting_->slots.push_back(std::move(slot));
            return {};
        }
        if (auto ended = end(); !ended) {
            return ended;
        }
        HG_TRY(waiting_, decision_of(row, layout_, policy_));
        if (ids_.intern(waiting_->recommendation_id) != log_.size()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format(
                    "recommendation_id \"{}\" is that of an earlier decision",
                    waiting_->recommendation_id
                ),
                "keep the rows of one decision together, and give every decision its own id"
            );
        }
        return {};
    }

    Result<void> end() {
        if (!waiting_) {
            return {};
        }
        for (std::size_t i = 0; layout_.recommendation && i < waiting_->slots.size(); ++i) {
            if (waiting_->slots[i].position == static_cast<std::int32_t>(i)) {
                waiting_->slots[i].position.reset();
            }
        }
        if (auto fine = check_impression(*waiting_, Purpose::off_policy); !fine) {
            return fine;
        }
        log_.append(*waiting_);
        waiting_.reset();
        return {};
    }

    [[nodiscard]] ImpressionLog& log() { return log_; }

  private:
    const Layout& layout_;
    std::string policy_;
    std::optional<ImpressionRow> waiting_;
    IdMap ids_;  // of the recommendations so far
    ImpressionLog log_;
};

void append_cell(std::string& line, std::string_view text) {
    if (text.find_first_of(",\"\n\r") == std::string_view::npos) {
        line += text;
        return;
    }
    line += '"';
    for (const char c : text) {
        line += c;
        line += c == '"' ? "\"" : "";
    }
    line += '"';
}

/// 1 or 0, or the reward; NaN when nothing is known.
double click_of(const ImpressionLog& log, std::size_t row, std::size_t slot) {
    if (log.slot.clicked[slot] >= 0) {
        return log.slot.clicked[slot];
    }
    const bool is_alone = log.slots.row(row).size() == 1;
    return std::isnan(log.slot.reward[slot]) && is_alone ? log.reward[row] : log.slot.reward[slot];
}

void append_slot_line(
    std::string& line, const ImpressionLog& log, std::size_t row, std::size_t slot
) {
    if (log.timestamp[row] != no_timestamp) {
        const auto within_second = (log.timestamp[row] % 1000 + 1000) % 1000;
        line += fmt::format("{}.{:03}", format_time(log.timestamp[row]), within_second);
    }
    line += ',';
    append_cell(line, log.items.name(log.slots.values[slot]));
    line += fmt::format(
        ",{},{},{},{},",
        log.slot.position[slot] + 1,
        click_of(log, row, slot),
        log.slot.propensity[slot],
        log.propensity_kind == PropensityKind::marginal ? "marginal" : "conditional"
    );
    append_cell(line, log.recommendation_id[row]);
    line += ',';
    append_cell(line, log.users.name(log.user[row]));
    line += ',';
    append_cell(line, log.policies.name(log.policy[row]));
    line += '\n';
}

}  // namespace

Result<ImpressionLog> read_open_bandit(const std::filesystem::path& path) {
    HG_TRY(const auto reader, open_rows(path));
    const auto file = path.filename().string();
    HG_TRY(const auto layout, find_layout(reader->columns(), file));
    Gatherer gatherer{layout, file.substr(0, file.find('.'))};
    bool is_conditional = false;
    std::size_t line = 1;
    const auto at_line = [&](const Error& error) {
        return fail(
            error.code(), fmt::format("{}:{}: {}", file, line, error.message()), error.hint()
        );
    };
    for (Row row; reader->next(row);) {
        line = row.line;
        if (auto added = gatherer.add(row); !added) {
            return at_line(added.error());
        }
        is_conditional |= layout.kind && trim(row.cells[*layout.kind]) == "conditional";
    }
    if (auto ended = gatherer.end(); !ended) {
        return at_line(ended.error());
    }
    auto& log = gatherer.log();
    log.propensity_kind = is_conditional ? PropensityKind::conditional : PropensityKind::marginal;
    if (log.size() == 0) {
        return fail(ErrorCode::invalid_argument, fmt::format("{} has no rows", file));
    }
    return std::move(log);
}

Result<void> write_open_bandit(const ImpressionLog& log, std::ostream& out) {
    out << "timestamp,item_id,position,click,propensity_score,pscore_type,recommendation_id,"
           "user_id,policy\n";
    std::string line;
    for (std::size_t row = 0; row < log.size(); ++row) {
        for (auto slot = log.slots.offsets[row]; slot < log.slots.offsets[row + 1]; ++slot) {
            if (std::isnan(click_of(log, row, slot))) {
                return fail(
                    ErrorCode::invalid_argument,
                    fmt::format(
                        "decision \"{}\" has no click and no reward per slot",
                        log.recommendation_id[row]
                    ),
                    "Open Bandit files hold one click a slot: log clicked"
                );
            }
            line.clear();
            append_slot_line(line, log, row, slot);
            out << line;
        }
    }
    return {};
}

}  // namespace hg::data
