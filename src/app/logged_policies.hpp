// SPDX-License-Identifier: Apache-2.0
// logged_policies: a log and the policies to judge on it, from what the command line names.
//
// On an impression log a policy is a run of learn, the name of an agent that needs no learning, or a
// file of probabilities (docs/formats/impression_log.md). On the database of a server it is a run of
// train, as it would serve, "served" (whoever served), or a file. Runs are asked for the probability
// of every logged slate and get cross-fitted predicted rewards; a file may bring its own.
//
//   const auto judged = judge_on_log({.log = {.path = "log.jsonl"}, .policies = {a, b}}, progress, stop);
#pragma once

#include "app/log_source.hpp"
#include "core/progress.hpp"
#include "data/impression_log.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/gate.hpp"
#include "policy/judge.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
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
    std::vector<std::string> notes;  // whole sentences about the log

    [[nodiscard]] evaluate::LoggedRows rows(std::size_t policy) const;
    /// 1 / number of slates that could have been shown; empty where candidates are not logged.
    [[nodiscard]] std::vector<double> uniform_probability() const;
};

/// The name of whoever served, among the policies of a database.
constexpr std::string_view served_policy = "served";

/// How the first policy would be served, where it differs: a run of train as the server's options,
/// anything else with a share epsilon of uniform slates.
struct ServingChange {
    std::optional<double> epsilon{};
    std::optional<double> temperature{};
    std::optional<std::int64_t> max_candidates{};
};

/// --epsilon, --temperature and --candidates.
void declare_serving_options(CLI::App& verb, ServingChange& change);

struct LogRequest {
    LogSource log;
    std::vector<std::string> policies;
    ServingChange serving{};  // of policies[0]
    std::uint64_t seed = 7;
};

/// Throws Error.
[[nodiscard]] LoggedPolicies judge_on_log(
    const LogRequest& request, ProgressSink& progress, const std::stop_token& stop
);

/// The gate on policies[0] against policies[incumbent].
[[nodiscard]] Result<evaluate::GateRecord> run_gate_on(
    const LoggedPolicies& judged,
    const evaluate::GateOptions& options = {},
    std::optional<double> decisions_per_day = {},
    std::size_t incumbent = 1
);

}  // namespace hg::app
