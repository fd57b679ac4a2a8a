// SPDX-License-Identifier: Apache-2.0
// iteration: the loop of the product in a world that stands for the real users, round after round:
// the policy in charge acts and is logged, a world is learned from its log, the agent (its state
// encoder with it) learns in that world, the gate judges it on the log, and what it promotes is in
// charge of the next round.
//
// An agent with a network goes on learning, policy and encoder: it begins with the weights of the
// last round's candidate or, where the gate found that one worse, with those of the policy in charge
// if it is a run. Ridge agents and tables begin anew: what they count belongs to one world.
//
// Everything a round makes is a file of RUN/round-N, and a stage whose file is there is not done
// again, so an interrupted loop goes on where it was. It stops when the metric of the policy in
// charge reaches the target, when the gate has held `patience` rounds in a row, or after
// max_iterations.
//
//   const auto result = iterate({.world = "interest_exploration", .agent = "ppo", ...}, ...);
#pragma once

#include "app/world_source.hpp"
#include "core/progress.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::app {

struct IterationRequest {
    std::string world;  // stands for the real users
    std::string agent;
    std::string first_policy = "random";
    PolicySettings settings;
    std::string metric = "return";  // return | click_rate | coverage | diversity | length
    double target = 0;
    std::int64_t max_iterations = 5;
    std::int64_t patience = 3;
    std::size_t log_episodes = 200;
    double epsilon = 0.2;      // of the logging policy: what makes its log usable
    bool begins_anew = false;  // every round learns from first weights
    std::uint64_t seed = 7;
    std::filesystem::path folder;
};

struct Round {
    std::int64_t number = 0;
    std::string decision{};  // promote | hold
    std::string reason{};
    double predicted_return = 0;  // of the candidate in the learned world
    double incumbent_metric = 0;  // true, in the world
    double candidate_metric = 0;
    bool was_right = false;      // promoted what is not worse, or held what is
    std::string started_from{};  // the run whose weights learning began with; empty = its own
    double seconds = 0;
};

struct IterationResult {
    std::vector<Round> rounds;
    std::string policy;  // in charge at the end: a run's folder or the first policy's name
    double metric = 0;
    std::string stopped_by;  // "target", "gate", "max_iterations"
};

/// Called after every round.
using RoundSink = std::function<void(const Round&)>;

[[nodiscard]] IterationResult iterate(
    const IterationRequest& request,
    ProgressSink& progress,
    const std::stop_token& stop,
    const RoundSink& tell
);

}  // namespace hg::app
