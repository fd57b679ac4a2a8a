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

#include "app/few_shot_curves.hpp"
#include "app/log_source.hpp"
#include "core/progress.hpp"
#include "data/impression_log.hpp"
#include "evaluate/estimator.hpp"
#include "evaluate/gate.hpp"
#include "policy/judge.hpp"

#include <cstdint>
#include <optional>
#include <span>
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
    std::vector<std::string> runs{};   // of a database: that served each decision
    std::vector<std::string> notes{};  // whole sentences about the log

    [[nodiscard]] evaluate::LoggedRows rows(std::size_t policy) const;
    /// 1 / number of slates that could have been shown; empty where candidates are not logged.
    [[nodiscard]] std::vector<double> uniform_probability() const;
    /// Whether the log tells users apart.
    [[nodiscard]] bool has_users() const;
    /// The how-manieth of its user's impressions each is, in order of time (of the log where it gives
    /// none); empty where users are not told apart.
    [[nodiscard]] std::vector<std::uint32_t> turns() const;
    /// Of a database: the names of the runs that served, in order of their first decision.
    [[nodiscard]] std::vector<std::string> served_runs() const;
    /// Of every name of log.segments; empty where segments are not told apart.
    [[nodiscard]] std::span<const std::uint32_t> segments() const;
};

/// The name of whoever served, among the policies of a database.
constexpr std::string_view served_policy = "served";

/// A folder with the manifest of one.
[[nodiscard]] bool is_run_of_train(const std::string& policy);

/// How the first policy would be served, where it differs: a run of train as the server's options,
/// anything else with a share epsilon of uniform slates.
struct ServingChange {
    std::optional<double> epsilon{};
    std::optional<double> temperature{};
    std::optional<std::int64_t> max_candidates{};
    std::string policy{};  // a run of learn that chooses the knobs of a run of train
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

/// What a gate is told beside the log.
struct GateRequest {
    evaluate::GateOptions options{};
    std::optional<double> decisions_per_day{};
    std::size_t incumbent = 1;
    const PairedCurves* curves = nullptr;  // of new users, candidate and this incumbent
};

/// The gate on policies[0] against policies[incumbent].
[[nodiscard]] Result<evaluate::GateRecord> run_gate_on(
    const LoggedPolicies& judged, const GateRequest& request = {}
);

}  // namespace hg::app
