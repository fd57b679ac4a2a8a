// SPDX-License-Identifier: Apache-2.0
#include "app/logged_policies.hpp"

#include "data/open_bandit.hpp"
#include "data/policy_probabilities.hpp"
#include "evaluate/overlap.hpp"
#include "policy/learn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace hg::app {
namespace {

namespace fs = std::filesystem;

constexpr double least_propensity = 1e-4;  // product.md, "The gate"

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
        if (log.propensity[i] >= least_propensity) {
            sum += policy.probability[i] / log.propensity[i];
        }
    }
    const double mean = sum / static_cast<double>(log.size());
    return std::vector<double>(log.size(), std::min(1.0, mean));
}

/// Runs and named agents, all judged together so that they share one reward model.
void judge_agents(LoggedPolicies& out, const std::vector<std::string>& names, std::uint64_t seed) {
    std::vector<std::size_t> places;
    std::vector<policy::LoadedAgent> loaded;
    std::vector<policy::LoggedAgent> agents;
    std::optional<policy::LoggedDecisions> decisions;
    for (std::size_t p = 0; p < names.size(); ++p) {
        if (is_file_of_probabilities(names[p])) {
            continue;
        }
        if (!decisions) {
            decisions = policy::decisions_of(out.log);
        }
        loaded.push_back(policy::load_agent_for_log(names[p], decisions->shape, seed));
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
    auto judged = policy::judge(*decisions, agents, {.seed = seed});
    for (std::size_t a = 0; a < agents.size(); ++a) {
        auto& policy = out.policies[places[a]];
        policy.name = names[places[a]];
        policy.probability = std::move(judged.policies[a].probability);
        policy.q_factual = judged.q_factual;
        policy.q_policy = std::move(judged.policies[a].q_policy);
        if (a == 0) {
            policy.mrdr_q_factual = judged.mrdr_q_factual;
            policy.mrdr_q_policy = std::move(judged.policies[a].mrdr_q_policy);
        }
    }
}

}  // namespace

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

data::ImpressionLog read_log(const std::string& path) {
    if (path.ends_with(".csv") || path.ends_with(".csv.gz")) {
        return value_or_throw(data::read_open_bandit(path));
    }
    data::Rejections none{0};
    return value_or_throw(data::read_impressions(path, data::Purpose::off_policy, none));
}

LoggedPolicies judge_on_log(
    const std::string& log, const std::vector<std::string>& policies, std::uint64_t seed
) {
    LoggedPolicies out{.log = read_log(log), .policies = {}};
    out.policies.resize(policies.size());
    for (std::size_t p = 0; p < policies.size(); ++p) {
        if (is_file_of_probabilities(policies[p])) {
            out.policies[p] = from_file(policies[p], out.log);
        }
    }
    judge_agents(out, policies, seed);
    for (auto& policy : out.policies) {
        if (policy.supported_mass.empty()) {
            policy.supported_mass = estimated_mass(out.log, policy);
        }
    }
    return out;
}

Result<evaluate::GateRecord> run_gate_on(
    const LoggedPolicies& judged,
    const evaluate::GateOptions& options,
    std::optional<double> decisions_per_day
) {
    const auto uniform = judged.uniform_probability();
    const evaluate::GateInput input{
        .candidate = judged.rows(0),
        .incumbent_probability = judged.policies[1].probability,
        .incumbent_q_policy = judged.policies[1].q_policy,
        .units = judged.log.user,
        .supported_mass = judged.policies[0].supported_mass,
        .uniform_probability = uniform,
        .decisions_per_day = decisions_per_day,
    };
    return evaluate::run_gate(input, options);
}

}  // namespace hg::app
