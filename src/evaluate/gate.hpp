// SPDX-License-Identifier: Apache-2.0
// gate: may a candidate policy replace the incumbent? Judged on a log with propensities, before
// anyone sees the candidate.
//
// Every condition is a check with a value, a threshold and a sentence. A check whose input is
// absent is "not available" and never passed. Promotion needs all required checks passed (support:
// effective_rows, mean_weight, largest_weight, supported_mass; value: difference, model_agreement)
// and no other one failed: those that look at groups of users (few_shot, worst_decile: where the
// curves of new users are given; first_impressions, segments: where the log tells them apart). On a
// hold for want of support or data the record says how much randomised traffic would decide it.
//
// The difference is the paired doubly robust one, row by row, so what both policies share cancels;
// q must be cross-fitted (reward_model.hpp). The margin delta is a share of the incumbent's value,
// which is itself an estimate: the bound is taken of difference + margin * incumbent, so that
// delta's uncertainty is in it. Rows of one unit (slate, user) count as dependent. The support
// checks look at both policies and report the worse. Where even uniform traffic could not support the
// candidate (a deterministic one among more than 20 slates), the record names the epsilon to mix in. A
// false promotion is one whose true difference is below -delta; measured rates: bench/results/gate.md.
//
//   HG_TRY(const auto record, run_gate(input));
//   record.decision == Decision::promote;   to_text(record);   to_json(record);
#pragma once

#include "core/error.hpp"
#include "core/options.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/overlap.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::evaluate {

struct GateOptions {
    double level = 0.95;
    double margin = 0.02;
    double min_effective_rows = 1000;
    double min_effective_share = 0.05;
    double max_mean_weight_z = 3;
    double max_weight_share = 0.01;
    double min_supported_mass = 0.95;
    double max_model_gap = 2;
    double random_share = 0.02;
    double power = 0.8;
    std::int64_t first_impressions = 10;
    double min_group_rows = 100;
    bool curves_required = false;

    static void describe(OptionBinder& bind, GateOptions& o);
};

/// New users after so many events (or turns of a play): candidate - incumbent, one per user.
struct FewShotPoint {
    std::size_t n_events = 0;
    std::span<const double> differences;
};

/// One log, two policies; one entry per row. What may be empty is said; the check that needs it is
/// then not available.
struct GateInput {
    LoggedRows candidate;                           // q_factual and q_policy may be empty
    std::span<const double> incumbent_probability;  // of the logged action
    std::span<const double> incumbent_q_policy{};   // may be empty
    std::span<const std::uint32_t> units{};         // empty = every row its own
    std::span<const double> supported_mass{};       // of the candidate; may be empty
    std::span<const double> uniform_probability{};  // 1 / candidates of the row; may be empty
    std::span<const std::uint32_t> turn{};     // of its user's impressions, from 0; may be empty
    std::span<const std::uint32_t> segment{};  // of the user: places of names; may be empty
    std::span<const std::string> segment_names{};
    std::span<const FewShotPoint> few_shot{};  // the curve of new users; may be empty
    std::string_view few_shot_unit = "events";
    std::span<const double> worst_decile{};  // worst_decile_differences(); may be empty
    std::optional<double> decisions_per_day{};
};

enum class Verdict : std::uint8_t { passed, failed, not_available };
enum class Decision : std::uint8_t { promote, hold };
enum class HoldReason : std::uint8_t {
    none,             // promoted
    lack_of_support,  // the log does not show what the candidate would do
    worse,            // below the margin, with confidence
    missing_input,    // a required check is not available
    lack_of_data,     // the interval holds both answers
    model_disagrees,  // reward model and corrected estimate tell different stories
    group_worse,      // new users or the worst-off lose
};

[[nodiscard]] std::string_view to_string(Verdict verdict) noexcept;
[[nodiscard]] std::string_view to_string(Decision decision) noexcept;
[[nodiscard]] std::string_view to_string(HoldReason reason) noexcept;

struct GateCheck {
    std::string_view name;
    std::optional<double> value{};
    double threshold = 0;
    Verdict verdict = Verdict::not_available;
    bool is_required = true;
    std::string sentence{};
};

/// Users, or rows of the log, that a check looks at by themselves: candidate - incumbent.
struct GateGroup {
    std::string_view check;
    std::string name;
    std::size_t n = 0;        // users asked, or rows
    std::size_t n_units = 0;  // independent ones
    double effective = 0;     // users, or rows that count for both policies
    double mean = 0;
    double low = 0;  // intervals of one check hold together
    double high = 0;
    bool is_worse = false;
};

/// The randomised traffic that would tell a candidate as good as the incumbent from one that is
/// delta worse, at the gate's level and power.
struct DataRequest {
    double decisions = 0;
    double half_width = 0;         // what the interval must shrink to: delta
    std::optional<double> cost{};  // reward lost, in all: incumbent - uniform, per decision
    std::optional<double> days{};  // at random_share of the traffic
};

/// For a candidate that stakes too much on single slates: no number of rows makes its effective
/// share large enough. Epsilon is a share of uniform slates mixed into it.
struct EpsilonAdvice {
    double uniform_share = 0;                    // of uniform rows that would count
    std::optional<double> on_uniform_traffic{};  // the smallest epsilon with a share that is enough
    std::optional<double> on_this_log{};         // the smallest that passes the weight checks here
};

struct GateRecord {
    Decision decision = Decision::hold;
    HoldReason reason = HoldReason::missing_input;
    std::string sentence{};
    std::vector<GateCheck> checks{};
    std::vector<GateGroup> groups{};
    std::size_t n_small_segments = 0;  // left out: too few rows to tell
    std::size_t n_rows = 0;
    std::size_t n_units = 0;
    double delta = 0;
    // Without q: nothing.
    std::optional<double> candidate_value{};
    std::optional<double> incumbent_value{};
    std::optional<double> difference{};
    std::optional<double> standard_error{};
    std::optional<double> lower_bound{};
    std::optional<double> upper_bound{};
    std::optional<DataRequest> data_request{};
    std::optional<EpsilonAdvice> epsilon_advice{};
    Overlap overlap{};  // of the candidate
    GateOptions options{};

    /// Throws std::logic_error when there is no check of the name.
    [[nodiscard]] const GateCheck& check(std::string_view name) const;
};

/// Fails when the arrays contradict each other or hold impossible numbers; a hold is not a failure.
[[nodiscard]] Result<GateRecord> run_gate(const GateInput& input, const GateOptions& options = {});

/// Candidate - incumbent of the tenth of users whom the two together serve worst; one result per user
/// and policy. Chosen by the sum, which leans to neither where both vary alike: chosen by one of the
/// two, luck would make that one look better afterwards.
[[nodiscard]] std::vector<double> worst_decile_differences(
    std::span<const double> candidate, std::span<const double> incumbent
);

/// Nothing without predicted rewards or a margin. run_gate calls it on a hold that data would end.
/// decisions_to_tell() with the variance of a row under uniform traffic.
[[nodiscard]] std::optional<DataRequest> request_data(
    const GateRecord& record, const GateInput& input
);

/// ((z_level + z_power) sd / delta)^2 decisions, and so many that min_effective_rows count: how many
/// tell a candidate as good as the incumbent from one that is delta worse. `counted`: the share of
/// decisions that count for the candidate.
[[nodiscard]] double decisions_to_tell(
    double row_variance, double delta, const GateOptions& o, double counted = 1
);

/// Of n rows of uniform traffic, the share that would count for the candidate: E[w]^2 / E[w^2], the
/// log's rows weighted to it. Nothing where what is uniform is unknown, or the log never shows what
/// the candidate would.
[[nodiscard]] std::optional<double> uniform_effective_share(const GateInput& input);

/// Nothing where enough uniform traffic would support the candidate, or what is uniform is unknown.
/// run_gate calls it on a hold for lack of support.
[[nodiscard]] std::optional<EpsilonAdvice> advise_epsilon(
    const GateRecord& record, const GateInput& input
);

/// For the record on disk: numbers that do not exist are null.
[[nodiscard]] nlohmann::json to_json(const GateRecord& record);

/// For people: the decision, one line per check, the data that would help.
[[nodiscard]] std::string to_text(const GateRecord& record);

}  // namespace hg::evaluate
