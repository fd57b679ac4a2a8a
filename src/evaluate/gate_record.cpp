// SPDX-License-Identifier: Apache-2.0
// The record of a gate as JSON and as text.
#include "evaluate/gate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace hg::evaluate {
namespace {

nlohmann::json number(std::optional<double> value) {
    return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json overlap_json(const Overlap& overlap) {
    return {
        {"effective_rows", number(overlap.effective_rows)},
        {"mean_weight", number(overlap.mean_weight)},
        {"mean_weight_error", number(overlap.mean_weight_error)},
        {"mean_weight_z", number(overlap.mean_weight_z)},
        {"largest_weight", number(overlap.largest_weight)},
        {"largest_share", number(overlap.largest_share)},
        {"top_percent_share", number(overlap.top_percent_share)},
        {"unused_share", number(overlap.unused_share)},
    };
}

nlohmann::json check_json(const GateCheck& check) {
    return {
        {"name", check.name},
        {"value", number(check.value)},
        {"threshold", number(check.threshold)},
        {"verdict", to_string(check.verdict)},
        {"required", check.is_required},
        {"sentence", check.sentence},
    };
}

nlohmann::json group_json(const GateGroup& group) {
    return {
        {"check", group.check},
        {"name", group.name},
        {"n", group.n},
        {"units", group.n_units},
        {"effective", number(group.effective)},
        {"difference", number(group.mean)},
        {"low", number(group.low)},
        {"high", number(group.high)},
        {"worse", group.is_worse},
    };
}

/// What lies behind a check of several groups.
std::string groups_text(const GateRecord& record) {
    std::string text;
    for (const auto& group : record.groups) {
        const bool is_alone = std::ranges::count(record.groups, group.check, &GateGroup::check) < 2;
        if (!is_alone) {
            fmt::format_to(
                std::back_inserter(text),
                "         {:<40} {:+.4g} [{:+.4g}, {:+.4g}] of {}{}\n",
                group.name,
                group.mean,
                group.low,
                group.high,
                group.n,
                group.is_worse ? "  worse" : ""
            );
        }
    }
    if (record.n_small_segments > 0) {
        fmt::format_to(
            std::back_inserter(text),
            "         {} segments have too few rows to tell\n",
            record.n_small_segments
        );
    }
    return text;
}

std::string_view mark(Verdict verdict) {
    switch (verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::failed:
            return "FAILED";
        case Verdict::not_available:
            break;
    }
    return "-";
}

std::string request_text(const DataRequest& request, const GateOptions& options) {
    auto text = fmt::format(
        "{:.0f} randomised decisions would decide it (the interval must shrink to +-{:.3g})",
        request.decisions,
        request.half_width
    );
    if (!request.cost) {
        text += "; their cost is not available: no uniform probabilities were given";
    } else {
        text += *request.cost > 0
                    ? fmt::format("; they cost {:.4g} of reward in all", *request.cost)
                    : "; by this log's estimate they cost nothing";
    }
    text += request.days ? fmt::format(
                               "; {:.1f} days at {:.1f} % of the traffic\n",
                               *request.days,
                               100 * options.random_share
                           )
                         : "; days not available: the traffic is unknown\n";
    return text;
}

std::string advice_text(const EpsilonAdvice& advice, const GateOptions& options) {
    auto text = fmt::format(
        "no number of rows lets it pass: on uniform traffic {:.2g} % of them would count, {:.0f} % "
        "are needed; it stakes too much on single slates\n",
        100 * advice.uniform_share,
        100 * options.min_effective_share
    );
    if (advice.on_this_log) {
        text += fmt::format(
            "mixed with a share epsilon >= {:.2f} of uniform slates its weights would pass on this "
            "log: judge and serve it so\n",
            *advice.on_this_log
        );
    } else if (advice.on_uniform_traffic) {
        text += fmt::format(
            "on uniform traffic a share epsilon >= {:.2f} of uniform slates would pass, on this "
            "log "
            "none: judge it so, on randomised traffic, and serve it so\n",
            *advice.on_uniform_traffic
        );
    }
    return text;
}

nlohmann::json advice_json(const EpsilonAdvice& advice) {
    return {
        {"uniform_share", number(advice.uniform_share)},
        {"on_uniform_traffic", number(advice.on_uniform_traffic)},
        {"on_this_log", number(advice.on_this_log)},
    };
}

}  // namespace

std::string_view to_string(Verdict verdict) noexcept {
    switch (verdict) {
        case Verdict::passed:
            return "passed";
        case Verdict::failed:
            return "failed";
        case Verdict::not_available:
            return "not available";
    }
    return {};
}

std::string_view to_string(Decision decision) noexcept {
    return decision == Decision::promote ? "promote" : "hold";
}

std::string_view to_string(HoldReason reason) noexcept {
    switch (reason) {
        case HoldReason::none:
            return "none";
        case HoldReason::lack_of_support:
            return "lack_of_support";
        case HoldReason::worse:
            return "worse";
        case HoldReason::missing_input:
            return "missing_input";
        case HoldReason::lack_of_data:
            return "lack_of_data";
        case HoldReason::model_disagrees:
            return "model_disagrees";
        case HoldReason::group_worse:
            return "group_worse";
    }
    return {};
}

nlohmann::json to_json(const GateRecord& record) {
    nlohmann::json json{
        {"decision", to_string(record.decision)},
        {"reason", to_string(record.reason)},
        {"sentence", record.sentence},
        {"rows", record.n_rows},
        {"units", record.n_units},
        {"delta", number(record.delta)},
        {"candidate_value", number(record.candidate_value)},
        {"incumbent_value", number(record.incumbent_value)},
        {"difference", number(record.difference)},
        {"standard_error", number(record.standard_error)},
        {"lower_bound", number(record.lower_bound)},
        {"upper_bound", number(record.upper_bound)},
        {"overlap", overlap_json(record.overlap)},
        {"checks", nlohmann::json::array()},
        {"groups", nlohmann::json::array()},
        {"small_segments", record.n_small_segments},
        {"data_request", nullptr},
        {"epsilon_advice", nullptr},
        {"options", options_json(record.options)},
    };
    for (const auto& check : record.checks) {
        json["checks"].push_back(check_json(check));
    }
    for (const auto& group : record.groups) {
        json["groups"].push_back(group_json(group));
    }
    if (record.epsilon_advice) {
        json["epsilon_advice"] = advice_json(*record.epsilon_advice);
    }
    if (const auto& request = record.data_request) {
        json["data_request"] = {
            {"decisions", number(request->decisions)},
            {"half_width", number(request->half_width)},
            {"cost", number(request->cost)},
            {"days", number(request->days)},
        };
    }
    return json;
}

std::string to_text(const GateRecord& record) {
    std::string text = record.sentence + '\n';
    for (const auto& check : record.checks) {
        fmt::format_to(
            std::back_inserter(text),
            "  {:<6} {:<17} {}\n",
            mark(check.verdict),
            check.name,
            check.sentence
        );
    }
    text += groups_text(record);
    if (record.epsilon_advice) {
        text += advice_text(*record.epsilon_advice, record.options);
    }
    if (record.data_request) {
        text += request_text(*record.data_request, record.options);
        if (record.check("supported_mass").verdict == Verdict::failed) {
            text +=
                "they must be spread over all that the candidate would show; more rows of what "
                "this "
                "log can show decide nothing\n";
        }
    }
    return text;
}

}  // namespace hg::evaluate
