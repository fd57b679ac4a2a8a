// SPDX-License-Identifier: Apache-2.0
#include "evaluate/gate_groups.hpp"

#include "evaluate/intervals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

namespace hg::evaluate {
namespace {

/// What is known of a group before its interval is taken.
struct Evidence {
    std::string name;
    std::vector<double> differences{};
    std::vector<std::uint32_t> units{};  // empty = every difference its own
    double effective = 0;                // users, or rows that count
};

GateGroup group_of(std::string_view check, const Evidence& evidence, double level) {
    const auto mean = clustered_mean(evidence.differences, evidence.units);
    const auto interval = mean.interval(level);
    return {
        .check = check,
        .name = evidence.name,
        .n = evidence.differences.size(),
        .n_units = mean.n_units,
        .effective = evidence.effective,
        .mean = mean.mean,
        .low = interval.low,
        .high = interval.high,
        .is_worse = interval.high < 0,
    };
}

/// Of the groups that can be told from chance; `absent` says why there is none.
void add_check(
    GateRecord& record,
    std::string_view name,
    std::span<const Evidence> groups,
    const std::string& absent,
    bool is_required = false
) {
    GateCheck check{
        .name = name,
        .is_required = is_required,
        .sentence = fmt::format("not available: {}", absent)
    };
    const auto n_groups = static_cast<double>(groups.size());
    const double level = groups.empty() ? 0 : 1 - (1 - record.options.level) / n_groups;
    const auto first = record.groups.size();
    for (const auto& evidence : groups) {
        record.groups.push_back(group_of(name, evidence, level));
    }
    const auto own = std::span{record.groups}.subspan(first);
    if (!own.empty()) {
        const auto& worst = *std::ranges::min_element(own, std::less{}, &GateGroup::high);
        const auto n_worse = std::ranges::count_if(own, &GateGroup::is_worse);
        check.value = worst.high;
        check.verdict = n_worse == 0 ? Verdict::passed : Verdict::failed;
        check.sentence = fmt::format(
            "{}: {:+.4g}, between {:+.4g} and {:+.4g}{}; no interval may lie below 0",
            worst.name,
            worst.mean,
            worst.low,
            worst.high,
            own.size() > 1 ? fmt::format(" (the worst of {}; {} lose)", own.size(), n_worse) : ""
        );
    }
    record.checks.push_back(std::move(check));
}

bool are_all_zero(std::span<const double> differences) {
    return std::ranges::all_of(differences, [](double d) { return d == 0; });
}

void add_few_shot(GateRecord& record, const GateInput& input) {
    std::vector<Evidence> points;
    std::string absent = "no curves of new users were given";
    const bool are_alike = std::ranges::all_of(input.few_shot, [](const auto& point) {
        return are_all_zero(point.differences);
    });
    if (!input.few_shot.empty() && are_alike) {
        absent = "both curves are one and the same for every user";
    }
    for (const auto& point : input.few_shot) {
        constexpr std::size_t fewest = 2;
        if (!are_alike && point.differences.size() >= fewest) {
            points.push_back({
                .name = fmt::format("after {} {}", point.n_events, input.few_shot_unit),
                .differences = {point.differences.begin(), point.differences.end()},
                .effective = static_cast<double>(point.differences.size()),
            });
        }
    }
    add_check(record, "few_shot", points, absent, record.options.curves_required);
}

void add_worst_decile(GateRecord& record, const GateInput& input) {
    std::vector<Evidence> groups;
    std::string absent = "no curves of new users were given";
    const auto& users = input.worst_decile;
    constexpr std::size_t fewest = 2;
    if (users.size() >= fewest) {
        if (are_all_zero(users)) {
            absent = fmt::format(
                "both serve each of these {} users alike, such as not at all: longer lists tell "
                "more",
                users.size()
            );
        } else {
            groups.push_back({
                .name = fmt::format("the {} users served worst", users.size()),
                .differences = {users.begin(), users.end()},
                .effective = static_cast<double>(users.size()),
            });
        }
    }
    add_check(record, "worst_decile", groups, absent, record.options.curves_required);
}

/// Rows of the log that belong together.
class RowGroup {
  public:
    explicit RowGroup(std::string name) : evidence_{.name = std::move(name)} {}

    void add(const GateInput& input, std::size_t row, double difference) {
        evidence_.differences.push_back(difference);
        evidence_.units.push_back(
            input.units.empty() ? static_cast<std::uint32_t>(row) : input.units[row]
        );
        const double p = input.candidate.propensity[row];
        candidate_.push_back(input.candidate.target_probability[row] / p);
        incumbent_.push_back(input.incumbent_probability[row] / p);
    }

    [[nodiscard]] Evidence evidence() const {
        auto out = evidence_;
        out.effective = std::min(
            measure_overlap(candidate_).effective_rows, measure_overlap(incumbent_).effective_rows
        );
        return out;
    }

  private:
    Evidence evidence_;
    std::vector<double> candidate_;  // weights
    std::vector<double> incumbent_;
};

/// The groups with rows enough to tell; how many were too small.
std::size_t keep_large(
    std::span<const RowGroup> groups, const GateOptions& options, std::vector<Evidence>& kept
) {
    std::size_t n_small = 0;
    for (const auto& group : groups) {
        auto evidence = group.evidence();
        if (evidence.effective >= options.min_group_rows) {
            kept.push_back(std::move(evidence));
        } else {
            ++n_small;
        }
    }
    return n_small;
}

std::string too_few(const GateOptions& options) {
    return fmt::format("fewer than {:.0f} effective rows each", options.min_group_rows);
}

void add_first_impressions(
    GateRecord& record, const GateInput& input, std::span<const double> differences
) {
    const auto limit = static_cast<std::uint32_t>(record.options.first_impressions);
    std::vector<Evidence> groups;
    std::string absent = "the log does not say which impressions are one user's";
    if (differences.empty()) {
        absent = "no predicted rewards were given";
    } else if (!input.turn.empty()) {
        RowGroup first{fmt::format("the first {} impressions of each user", limit)};
        for (std::size_t i = 0; i < differences.size(); ++i) {
            if (input.turn[i] < limit) {
                first.add(input, i, differences[i]);
            }
        }
        (void)keep_large({&first, 1}, record.options, groups);
        absent = too_few(record.options);
    }
    add_check(record, "first_impressions", groups, absent);
}

void add_segments(GateRecord& record, const GateInput& input, std::span<const double> differences) {
    std::vector<Evidence> groups;
    std::string absent = "the log does not say whose segment a user is of";
    if (differences.empty()) {
        absent = "no predicted rewards were given";
    } else if (!input.segment.empty()) {
        std::vector<RowGroup> all;
        for (const auto& name : input.segment_names) {
            all.emplace_back(fmt::format("segment {}", name.empty() ? "(none)" : name));
        }
        for (std::size_t i = 0; i < differences.size(); ++i) {
            all[input.segment[i]].add(input, i, differences[i]);
        }
        record.n_small_segments = keep_large(all, record.options, groups);
        absent = too_few(record.options);
    }
    add_check(record, "segments", groups, absent);
}

}  // namespace

void add_user_checks(GateRecord& record, const GateInput& input) {
    add_few_shot(record, input);
    add_worst_decile(record, input);
}

void add_log_group_checks(
    GateRecord& record, const GateInput& input, std::span<const double> differences
) {
    add_first_impressions(record, input, differences);
    add_segments(record, input, differences);
}

std::vector<double> worst_decile_differences(
    std::span<const double> candidate, std::span<const double> incumbent
) {
    HG_CHECK(candidate.size() == incumbent.size(), "the same users in the same order");
    std::vector<std::size_t> order(candidate.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::less{}, [&](std::size_t user) {
        return candidate[user] + incumbent[user];
    });
    constexpr std::size_t tenth = 10;
    order.resize((order.size() + tenth - 1) / tenth);
    std::vector<double> differences;
    for (const auto user : order) {
        differences.push_back(candidate[user] - incumbent[user]);
    }
    return differences;
}

}  // namespace hg::evaluate
