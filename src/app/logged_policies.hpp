// SPDX-License-Identifier: Apache-2.0
// logged_policies: a log and the policies to judge on it, from what the command line names.
//
// A policy is a run of learn, the name of an agent that needs no learning, or a file of
// probabilities (docs/formats/impression_log.md). Runs are asked for the probability of every
// logged slate and get cross-fitted predicted rewards; a file may bring its own.
#pragma once

#include "data/impression_log.hpp"
#include "evaluate/estimator.hpp"
#include "policy/judge.hpp"

#include <optional>
#include <string>
#include <vector>

namespace hg::app {

struct LoggedPolicy {
    std::string name;
    std::vector<double> probability;  // of the logged slate
    std::vector<double> q_factual;    // empty = not available
    std::vector<double> q_policy;
    std::vector<double> mrdr_q_factual;
    std::vector<double> mrdr_q_policy;
    std::vector<double> supported_mass;
};

struct LoggedPolicies {
    data::ImpressionLog log;
    std::vector<LoggedPolicy> policies;

    [[nodiscard]] evaluate::LoggedRows rows(std::size_t policy) const;
    /// 1 / number of slates that could have been shown; empty where candidates are not logged.
    [[nodiscard]] std::vector<double> uniform_probability() const;
};

/// .csv and .csv.gz are Open Bandit files, anything else an impression log. Throws Error.
[[nodiscard]] data::ImpressionLog read_log(const std::string& path);

[[nodiscard]] LoggedPolicies judge_on_log(
    const std::string& log, const std::vector<std::string>& policies, std::uint64_t seed
);

/// The gate on policies[0] against policies[1].
[[nodiscard]] Result<evaluate::GateRecord> run_gate_on(
    const LoggedPolicies& judged,
    const evaluate::GateOptions& options = {},
    std::optional<double> decisions_per_day = {}
);

}  // namespace hg::app
