// SPDX-License-Identifier: Apache-2.0
#include "app/logged_policies.hpp"

#include "core/file.hpp"
#include "data/policy_probabilities.hpp"
#include "evaluate/overlap.hpp"
#include "policy/explorer.hpp"
#include "policy/knob_actor.hpp"
#include "policy/learn.hpp"
#include "serve/judge_served.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

bool is_file_of_probabilities(const std::string& policy) {
    return policy.ends_with(".jsonl") || policy.ends_with(".jsonl.gz");
}

LoggedPolicy from_file(const std::string& path, const data::ImpressionLog& log) {
    auto read = value_or_throw(data::read_policy_probabilities(path, log));
    return {
        .name = path,
        .probability = std::move(read.slate),
        .q_factual = std::move(read.q_factual),
        .q_policy = std::move(read.q_policy),
        .mrdr_q_factual = {},
        .mrdr_q_policy = {},
        .supported_mass = std::move(read.supported_mass),
    };
}

/// E[w 1(p >= floor)] over the log is the policy's mass on actions of that propensity: the log knows
/// the propensity of what was shown only, so the mean stands for every row.
std::vector<double> estimated_mass(const data::ImpressionLog& log, const LoggedPolicy& policy) {
    double sum = 0;
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (log.propensity[i] >= serve::least_propensity) {
            sum += policy.probability[i] / log.propensity[i];
        }
    }
    const double mean = sum / static_cast<double>(log.size());
    return std::vector<double>(log.size(), std::min(1.0, mean));
}

/// What judging gave the policies at `places`.
void take(LoggedPolicies& out, policy::Judged& judged, std::span<const std::size_t> places) {
    for (std::size_t j = 0; j < places.size(); ++j) {
        auto& policy = out.policies[places[j]];
        auto& from = judged.policies[j];
        policy.probability = std::move(from.probability);
        policy.q_factual = judged.q_factual;
        policy.q_policy = std::move(from.q_policy);
        policy.supported_mass = std::move(from.supported_mass);
        if (j == 0) {
            policy.mrdr_q_factual = judged.mrdr_q_factual;
            policy.mrdr_q_policy = std::move(from.mrdr_q_policy);
        }
    }
}

bool is_changed(const ServingChange& change) {
    return change.epsilon || change.temperature || change.max_candidates || !change.policy.empty();
}

void check_agent(const std::string& name, const ServingChange& change) {
    if (is_run_of_train(name)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{} is a run of train: it is judged on what a server served, which this log does "
                "not hold",
                name
            ),
            "give the server's database: --log events.db --data DIR"
        };
    }
    if (change.temperature || change.max_candidates || !change.policy.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "--temperature, --candidates and --knobs-by are of runs of train, {} is none", name
            ),
            "leave them out"
        };
    }
}

void check_file(const std::string& path, const ServingChange& change) {
    if (is_changed(change)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} says its probabilities: they cannot be served differently", path),
            "write them as the policy would be served, and leave --epsilon out"
        };
    }
}

serve::ServedPolicy served_policy_of(const std::string& name, const ServingChange& change) {
    if (name == served_policy) {
        if (is_changed(change)) {
            throw Error{
                ErrorCode::invalid_argument,
                "\"served\" is what was served: it cannot be served differently",
                "name the run, to judge it with other options"
            };
        }
        return {};
    }
    if (!is_run_of_train(name)) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("{} is no run of train, which is what a server serves", name),
            "give a run of train, \"served\", or probabilities.jsonl"
        };
    }
    return {
        .run = name,
        .epsilon = change.epsilon,
        .temperature = change.temperature,
        .max_candidates = change.max_candidates,
        .knobs = change.policy.empty() ? nullptr : policy::KnobActor::load(change.policy),
    };
}

void note_agreement(
    LoggedPolicies& out, const std::string& name, const std::optional<double>& agreement
) {
    if (agreement) {
        out.notes.push_back(fmt::format(
            "{} gives the propensities it was served with again in {:.1f} % of its decisions{}",
            name,
            100 * *agreement,
            *agreement < 0.99 ? ": the run, its items, their fields or what its users told or "
                                "took back have changed since, so its other probabilities are no "
                                "better"
                              : ""
        ));
    }
}

/// Runs of train and "served", all judged together so that they share one reward model.
void judge_served_runs(
    LoggedPolicies& out,
    const LogRequest& request,
    ProgressSink& progress,
    const std::stop_token& stop
) {
    std::vector<std::size_t> places;
    std::vector<serve::ServedPolicy> policies;
    for (std::size_t p = 0; p < request.policies.size(); ++p) {
        const auto& name = request.policies[p];
        out.policies[p].name = name;
        if (!is_file_of_probabilities(name)) {
            places.push_back(p);
            policies.push_back(served_policy_of(name, p == 0 ? request.serving : ServingChange{}));
        }
    }
    auto log = open_server_log(request.log, data::Purpose::off_policy);
    out.notes = notes_on(log, request.log);
    if (!places.empty()) {
        auto judged = serve::judge_served(
            {.dataset = log.dataset,
             .data = request.log.data,
             .served = log.served,
             .seed = request.seed},
            policies,
            progress,
            stop
        );
        take(out, judged.judged, places);
        for (std::size_t j = 0; j < places.size(); ++j) {
            note_agreement(out, request.policies[places[j]], judged.agreement[j]);
        }
    }
    out.runs = std::move(log.served.run);
    out.log = std::move(log.served.log);
}

/// Runs of learn and named agents, all judged together so that they share one reward model.
void judge_agents(LoggedPolicies& out, const LogRequest& request) {
    const auto& names = request.policies;
    std::vector<std::size_t> places;
    std::vector<policy::LoadedAgent> loaded;
    std::vector<policy::LoggedAgent> agents;
    std::optional<policy::LoggedDecisions> decisions;
    for (std::size_t p = 0; p < names.size(); ++p) {
        if (is_file_of_probabilities(names[p])) {
            continue;
        }
        out.policies[p].name = names[p];
        check_agent(names[p], p == 0 ? request.serving : ServingChange{});
        if (!decisions) {
            decisions = policy::decisions_of(out.log);
        }
        loaded.push_back(policy::load_agent_for_log(names[p], decisions->shape, request.seed));
        places.push_back(p);
    }
    for (const auto& one : loaded) {
        agents.push_back(
            {.agent = one.agent.get(),
             .sessions = policy::sessions_of(out.log, *decisions, one.session_tokens)}
        );
    }
    if (agents.empty()) {
        return;
    }
    std::optional<policy::Explorer> mixed;
    if (places.front() == 0 && request.serving.epsilon) {
        agents.front().agent = &mixed.emplace(*agents.front().agent, *request.serving.epsilon);
    }
    auto judged = policy::judge(*decisions, agents, {.seed = request.seed});
    take(out, judged, places);
}

}  // namespace

bool is_run_of_train(const std::string& policy) {
    const auto text = read_file(fs::path{policy} / "manifest.json");
    const auto manifest = text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json{};
    return manifest.is_object() && manifest.contains("model");
}

evaluate::LoggedRows LoggedPolicies::rows(std::size_t policy) const {
    const auto& judged = policies[policy];
    return {
        .reward = log.reward,
        .propensity = log.propensity,
        .target_probability = judged.probability,
        .q_factual = judged.q_factual,
        .q_policy = judged.q_policy,
        .mrdr_q_factual = judged.mrdr_q_factual,
        .mrdr_q_policy = judged.mrdr_q_policy,
    };
}

std::vector<double> LoggedPolicies::uniform_probability() const {
    std::vector<double> uniform;
    for (std::size_t i = 0; i < log.size(); ++i) {
        auto left = static_cast<double>(log.candidates.row(i).size());
        double probability = 1;
        for (std::size_t slot = 0; slot < log.slots.row(i).size(); ++slot) {
            probability /= left;
            left -= 1;
        }
        if (log.candidates.row(i).size() < log.slots.row(i).size() ||
            log.candidates.row(i).empty()) {
            return {};
        }
        uniform.push_back(probability);
    }
    return uniform;
}

void declare_serving_options(CLI::App& verb, ServingChange& change) {
    verb.add_option(
            "--epsilon",
            change.epsilon,
            "share of uniform exploration it would be served with; a run of train: as logged"
    )
        ->check(CLI::Range(0.0, 1.0));
    verb.add_option(
            "--temperature", change.temperature, "of a run of train: as logged unless given"
    )
        ->check(CLI::Range(0.0, 100.0));
    verb.add_option(
            "--candidates", change.max_candidates, "of a run of train: as logged unless given"
    )
        ->check(CLI::Range(1, 1000));
    verb.add_option(
        "--knobs-by",
        change.policy,
        "of a run of train: a run of learn chooses its knobs (serve --policy); as logged unless "
        "given"
    );
}

LoggedPolicies judge_on_log(
    const LogRequest& request, ProgressSink& progress, const std::stop_token& stop
) {
    LoggedPolicies out;
    out.policies.resize(request.policies.size());
    const bool is_server = data::is_database(request.log.path);
    if (is_server) {
        judge_served_runs(out, request, progress, stop);
    } else {
        out.log = read_log(request.log);
        judge_agents(out, request);
    }
    for (std::size_t p = 0; p < request.policies.size(); ++p) {
        if (is_file_of_probabilities(request.policies[p])) {
            check_file(request.policies[p], p == 0 ? request.serving : ServingChange{});
            out.policies[p] = from_file(request.policies[p], out.log);
        }
    }
    for (auto& policy : out.policies) {
        if (policy.supported_mass.empty()) {
            policy.supported_mass = estimated_mass(out.log, policy);
        }
    }
    return out;
}

bool LoggedPolicies::has_users() const {
    return log.users.size() > 1 || (log.users.size() == 1 && !log.users.name(0).empty());
}

std::vector<std::uint32_t> LoggedPolicies::turns() const {
    if (!has_users()) {
        return {};
    }
    std::vector<std::size_t> order(log.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::less{}, [this](std::size_t i) {
        return log.timestamp[i];
    });
    std::vector<std::uint32_t> seen(log.users.size());
    std::vector<std::uint32_t> turns(log.size());
    for (const auto i : order) {
        turns[i] = seen[log.user[i]]++;
    }
    return turns;
}

std::vector<std::string> LoggedPolicies::served_runs() const {
    std::vector<std::string> names;
    for (const auto& run : runs) {
        if (std::ranges::find(names, run) == names.end()) {
            names.push_back(run);
        }
    }
    return names;
}

std::span<const std::uint32_t> LoggedPolicies::segments() const {
    const bool are_told = log.segments.size() > 1 || !log.segments.name(0).empty();
    return are_told ? std::span<const std::uint32_t>{log.segment}
                    : std::span<const std::uint32_t>{};
}

Result<evaluate::GateRecord> run_gate_on(const LoggedPolicies& judged, const GateRequest& request) {
    const auto uniform = judged.uniform_probability();
    const auto turns = judged.turns();
    const auto segment_names = judged.log.segments.names();
    std::vector<evaluate::FewShotPoint> curve;
    for (std::size_t c = 0; request.curves != nullptr && c < request.curves->n_events.size(); ++c) {
        curve.push_back(
            {.n_events = request.curves->n_events[c], .differences = request.curves->differences[c]}
        );
    }
    evaluate::GateInput input{
        .candidate = judged.rows(0),
        .incumbent_probability = judged.policies.at(request.incumbent).probability,
        .incumbent_q_policy = judged.policies.at(request.incumbent).q_policy,
        .units = judged.log.user,
        .supported_mass = judged.policies[0].supported_mass,
        .uniform_probability = uniform,
        .turn = turns,
        .segment = judged.segments(),
        .segment_names = segment_names,
        .few_shot = curve,
        .decisions_per_day = request.decisions_per_day,
    };
    if (request.curves != nullptr) {
        input.few_shot_unit = request.curves->unit;
        input.worst_decile = request.curves->worst_decile;
    }
    return evaluate::run_gate(input, request.options);
}

}  // namespace hg::app
