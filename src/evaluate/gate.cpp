// SPDX-License-Identifier: Apache-2.0
#include "evaluate/gate.hpp"

#include "evaluate/gate_groups.hpp"
#include "evaluate/intervals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace hg::evaluate {
namespace {

LoggedRows incumbent_rows(const GateInput& input) {
    auto rows = input.candidate;
    rows.target_probability = input.incumbent_probability;
    rows.q_policy = input.incumbent_q_policy;
    return rows;
}

bool has_model(const GateInput& input) {
    return !input.candidate.q_factual.empty() && !input.candidate.q_policy.empty() &&
           !input.incumbent_q_policy.empty();
}

/// Empty, or one share per row.
Result<void> check_shares(
    std::string_view name, std::span<const double> values, std::size_t n_rows
) {
    if (values.empty()) {
        return {};
    }
    if (values.size() != n_rows) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} has {} rows, the log has {}", name, values.size(), n_rows)
        );
    }
    constexpr double rounding = 1e-9;
    for (std::size_t i = 0; i < n_rows; ++i) {
        if (!(values[i] >= 0 && values[i] <= 1 + rounding)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("row {}: {} is {}, expected a share in [0, 1]", i, name, values[i])
            );
        }
    }
    return {};
}

Result<void> check_groups(const GateInput& input, std::size_t n_rows) {
    for (const auto& [name, values] :
         {std::pair{"units", input.units},
          std::pair{"turn", input.turn},
          std::pair{"segment", input.segment}}) {
        if (!values.empty() && values.size() != n_rows) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{} has {} rows, the log has {}", name, values.size(), n_rows)
            );
        }
    }
    for (const auto segment : input.segment) {
        if (segment >= input.segment_names.size()) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("segment {} of {} has no name", segment, input.segment_names.size())
            );
        }
    }
    return {};
}

Result<void> check_input(const GateInput& input) {
    const auto needs = has_model(input) ? Need::weights | Need::q : Need::weights;
    if (auto fine = check_rows(input.candidate, needs); !fine) {
        return fine;
    }
    if (auto fine = check_rows(incumbent_rows(input), needs); !fine) {
        return fail(fine.error().code(), "incumbent: " + fine.error().message());
    }
    const std::size_t n = input.candidate.size();
    if (auto fine = check_groups(input, n); !fine) {
        return fine;
    }
    if (auto fine = check_shares("supported_mass", input.supported_mass, n); !fine) {
        return fine;
    }
    return check_shares("uniform_probability", input.uniform_probability, n);
}

/// What both policies are worth, row by row.
struct PairedRows {
    std::vector<double> candidate;   // doubly robust
    std::vector<double> incumbent;   // doubly robust
    std::vector<double> difference;  // candidate - incumbent
    std::vector<double> correction;  // the part of it that the reward model did not foresee
};

PairedRows pair_rows(const GateInput& input) {
    const auto& log = input.candidate;
    PairedRows rows;
    for (std::size_t i = 0; i < log.size(); ++i) {
        const double error = (log.reward[i] - log.q_factual[i]) / log.propensity[i];
        const double foreseen = log.q_policy[i] - input.incumbent_q_policy[i];
        const double unforeseen =
            (log.target_probability[i] - input.incumbent_probability[i]) * error;
        rows.candidate.push_back(log.q_policy[i] + log.target_probability[i] * error);
        rows.incumbent.push_back(
            input.incumbent_q_policy[i] + input.incumbent_probability[i] * error
        );
        rows.difference.push_back(foreseen + unforeseen);
        rows.correction.push_back(unforeseen);
    }
    return rows;
}

Verdict verdict_of(bool has_passed) {
    return has_passed ? Verdict::passed : Verdict::failed;
}

void add_support_checks(GateRecord& record, const GateInput& input, const Overlap& incumbent) {
    const auto& o = record.options;
    const auto& own = record.overlap;
    const double rows = std::min(own.effective_rows, incumbent.effective_rows);
    const double needed =
        std::max(o.min_effective_rows, o.min_effective_share * static_cast<double>(record.n_rows));
    record.checks.push_back(
        {.name = "effective_rows",
         .value = rows,
         .threshold = needed,
         .verdict = verdict_of(rows >= needed),
         .sentence = fmt::format(
             "{} rows count as {:.0f}; at least {:.0f} are needed", record.n_rows, rows, needed
         )}
    );
    const double z = std::max(std::abs(own.mean_weight_z), std::abs(incumbent.mean_weight_z));
    record.checks.push_back(
        {.name = "mean_weight",
         .value = z,
         .threshold = o.max_mean_weight_z,
         .verdict = verdict_of(z <= o.max_mean_weight_z),
         .sentence = fmt::format(
             "the mean weight lies {:.2f} standard errors from 1; at most {} are allowed",
             z,
             o.max_mean_weight_z
         )}
    );
    const double share = std::max(own.largest_share, incumbent.largest_share);
    record.checks.push_back(
        {.name = "largest_weight",
         .value = share,
         .threshold = o.max_weight_share,
         .verdict = verdict_of(share <= o.max_weight_share),
         .sentence = fmt::format(
             "the heaviest row has {:.2f} % of the weight; at most {:.2f} % are allowed",
             100 * share,
             100 * o.max_weight_share
         )}
    );
    GateCheck mass{
        .name = "supported_mass",
        .threshold = o.min_supported_mass,
        .sentence = "not available: the log does not say what else could have been shown",
    };
    if (!input.supported_mass.empty()) {
        mass.value = clustered_mean(input.supported_mass).mean;
        mass.verdict = verdict_of(*mass.value >= o.min_supported_mass);
        mass.sentence = fmt::format(
            "{:.1f} % of what the candidate would show could have been logged; at least {:.0f} % "
            "are needed",
            100 * *mass.value,
            100 * o.min_supported_mass
        );
    }
    record.checks.push_back(std::move(mass));
}

/// The bounds of difference + margin * incumbent, moved back by delta.
void measure_difference(GateRecord& record, const GateInput& input, const PairedRows& rows) {
    const auto& o = record.options;
    const auto candidate = clustered_mean(rows.candidate, input.units);
    const auto incumbent = clustered_mean(rows.incumbent, input.units);
    const auto difference = clustered_mean(rows.difference, input.units);
    record.delta = o.margin * std::abs(incumbent.mean);
    const double margin = std::copysign(o.margin, incumbent.mean);
    auto shifted = rows.difference;
    for (std::size_t i = 0; i < shifted.size(); ++i) {
        shifted[i] += margin * rows.incumbent[i];
    }
    const auto bound = clustered_mean(shifted, input.units);
    record.n_units = difference.n_units;
    record.candidate_value = candidate.mean;
    record.incumbent_value = incumbent.mean;
    record.difference = difference.mean;
    record.standard_error = difference.standard_error;
    record.lower_bound = bound.interval(o.level, Sides::lower).low - record.delta;
    record.upper_bound = bound.interval(o.level, Sides::upper).high - record.delta;
}

void add_value_checks(GateRecord& record, const PairedRows& rows) {
    const auto& o = record.options;
    const double low = record.lower_bound.value();
    record.checks.push_back(
        {.name = "difference",
         .value = low,
         .threshold = -record.delta,
         .verdict = verdict_of(low >= -record.delta),
         .sentence = fmt::format(
             "candidate - incumbent is {:.4g}, with {:.0f} % confidence above {:.4g}; it must be "
             "above {:.4g} ({:.0f} % of the incumbent's {:.4g})",
             *record.difference,
             100 * o.level,
             low,
             -record.delta,
             100 * o.margin,
             *record.incumbent_value
         )}
    );
    const double error = record.standard_error.value();
    const double correction = std::abs(clustered_mean(rows.correction).mean);
    const double gap = error > 0 ? correction / error : 0;
    record.checks.push_back(
        {.name = "model_agreement",
         .value = gap,
         .threshold = o.max_model_gap,
         .verdict = verdict_of(gap <= o.max_model_gap),
         .sentence = fmt::format(
             "the reward model alone differs by {:.2f} standard errors; at most {} are allowed",
             gap,
             o.max_model_gap
         )}
    );
}

void add_missing_value_checks(GateRecord& record) {
    for (const std::string_view name : {"difference", "model_agreement"}) {
        record.checks.push_back(
            {.name = name,
             .threshold = name == "difference" ? 0 : record.options.max_model_gap,
             .sentence = "not available: no predicted rewards were given"}
        );
    }
}

bool any(const GateRecord& record, Verdict verdict, std::span<const std::string_view> names) {
    return std::ranges::any_of(names, [&](std::string_view name) {
        return record.check(name).verdict == verdict;
    });
}

HoldReason find_reason(const GateRecord& record) {
    constexpr auto support = std::to_array<std::string_view>(
        {"effective_rows", "mean_weight", "largest_weight", "supported_mass"}
    );
    if (any(record, Verdict::failed, support)) {
        return HoldReason::lack_of_support;
    }
    if (record.upper_bound && *record.upper_bound < -record.delta) {
        return HoldReason::worse;
    }
    for (const auto& check : record.checks) {
        if (check.is_required && check.verdict == Verdict::not_available) {
            return HoldReason::missing_input;
        }
    }
    if (record.check("difference").verdict == Verdict::failed) {
        return HoldReason::lack_of_data;
    }
    if (record.check("model_agreement").verdict == Verdict::failed) {
        return HoldReason::model_disagrees;
    }
    constexpr auto groups = std::to_array<std::string_view>(
        {"few_shot", "worst_decile", "first_impressions", "segments"}
    );
    return any(record, Verdict::failed, groups) ? HoldReason::group_worse : HoldReason::none;
}

std::string describe_outcome(const GateRecord& record) {
    switch (record.reason) {
        case HoldReason::none:
            return "promote: every required check passed";
        case HoldReason::lack_of_support:
            return "hold: this log shows too little of what the candidate would do";
        case HoldReason::worse:
            return "hold: the candidate is worse than the incumbent by more than the margin";
        case HoldReason::missing_input:
            return "hold: a required check is not available";
        case HoldReason::lack_of_data:
            return "hold: undecidable, the interval holds both answers";
        case HoldReason::model_disagrees:
            return "hold: the reward model and the corrected estimate disagree";
        case HoldReason::group_worse:
            return "hold: a group of users loses: new ones, the worst-off or a segment";
    }
    return {};
}

}  // namespace

const GateCheck& GateRecord::check(std::string_view name) const {
    const auto found = std::ranges::find(checks, name, &GateCheck::name);
    HG_CHECK(found != checks.end(), "no check of this name");
    return *found;
}

Result<GateRecord> run_gate(const GateInput& input, const GateOptions& options) {
    if (auto fine = check_input(input); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    GateRecord record{.n_rows = input.candidate.size(), .options = options};
    record.overlap = measure_overlap(importance_weights(input.candidate), input.units);
    const auto incumbent = measure_overlap(importance_weights(incumbent_rows(input)), input.units);
    add_support_checks(record, input, incumbent);
    PairedRows rows;
    if (has_model(input)) {
        rows = pair_rows(input);
        measure_difference(record, input, rows);
        add_value_checks(record, rows);
    } else {
        add_missing_value_checks(record);
    }
    add_user_checks(record, input);
    add_log_group_checks(record, input, rows.difference);
    record.reason = find_reason(record);
    record.decision = record.reason == HoldReason::none ? Decision::promote : Decision::hold;
    record.sentence = describe_outcome(record);
    if (record.reason == HoldReason::lack_of_support) {
        record.epsilon_advice = advise_epsilon(record, input);
    }
    const bool lacks_data =
        record.reason == HoldReason::lack_of_support || record.reason == HoldReason::lack_of_data;
    if (lacks_data && !record.epsilon_advice) {
        record.data_request = request_data(record, input);
    }
    return record;
}

}  // namespace hg::evaluate
