// SPDX-License-Identifier: Apache-2.0
// learn: an agent acts in a batch of users, sees what happens and gets better, within a budget of
// steps; now and then it is judged on users it does not learn from, and the best version is kept.
//
// The run is a folder like every run: manifest.json (kind "agent"), weights.safetensors,
// metrics.jsonl, a TensorBoard file, and item_texts.safetensors where items have names. The agent is saved after every judgement and on a stop request,
// where Error{interrupted} is thrown; the same call again resumes (the users start new episodes).
//
//   learn_run({.entry = find_agent("ppo"), .world = *batch, ...}, progress, stop);
//   const LoadedAgent loaded = load_agent("runs/ppo", world_facts, {}, seed);
#pragma once

#include "core/progress.hpp"
#include "policy/agent.hpp"
#include "policy/play.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace hg::policy {

struct LearnOptions {
    std::int64_t steps = 400'000;
    std::int64_t users = 128;
    std::int64_t evaluate_every = 40'000;
    std::int64_t evaluation_episodes = 128;
    std::int64_t patience = 0;
    double wall_seconds = 0;

    static void describe(OptionBinder& bind, LearnOptions& o) {
        bind("steps", o.steps, "steps of all users together", {.min = 1, .max = 1e12});
        bind("users", o.users, "users side by side", {.min = 1, .max = 1e5});
        bind(
            "evaluate_every",
            o.evaluate_every,
            "steps between two judgements",
            {.min = 1, .max = 1e12}
        );
        bind(
            "evaluation_episodes",
            o.evaluation_episodes,
            "episodes of a judgement",
            {.min = 1, .max = 1e6}
        );
        bind(
            "patience",
            o.patience,
            "judgements without a better one before stopping; 0 = never",
            {.min = 0, .max = 1e6}
        );
        bind(
            "wall_seconds",
            o.wall_seconds,
            "stop after this long; 0 = never",
            {.min = 0, .max = 1e7}
        );
    }
};

/// One judgement.
struct CurvePoint {
    std::int64_t step = 0;
    Mean mean_return;
    double seconds = 0;  // of learning so far
};

struct LearnResult {
    std::vector<CurvePoint> curve;
    std::int64_t best_step = 0;
    double best_return = 0;
    std::int64_t steps = 0;
    double seconds = 0;      // learning only
    std::string stopped_by;  // "steps", "patience", "wall_seconds"
};

/// Where the curve of a run goes while it grows.
using CurveSink = std::function<void(std::string_view name, std::int64_t step, double value)>;

struct LearnSetup {
    Agent& agent;
    simulate::EnvironmentBatch& world;
    simulate::EnvironmentBatch& held_out;  // users (or a world) it is judged on
    LearnOptions options;
    std::filesystem::path best;  // file the best version is kept in while learning
    std::size_t session_tokens = 0;
    std::uint64_t seed = 7;
    std::int64_t first_step = 0;                          // > 0: resumed
    std::function<void(std::int64_t step)> checkpoint{};  // after every judgement; may be empty
};

/// Learns in place and leaves the best judged version in the agent. Stops early on request: look at
/// result.steps.
[[nodiscard]] LearnResult learn(
    const LearnSetup& setup,
    ProgressSink& progress,
    const std::stop_token& stop,
    const CurveSink& curve
);

struct LearnRequest {
    const AgentEntry& entry;
    Settings agent_settings;
    LearnOptions options;
    std::uint64_t seed = 7;
    const simulate::EnvironmentBatch& world;  // only its clones are used
    const simulate::EnvironmentBatch& held_out;
    nlohmann::json world_facts;  // for the manifest: name, settings
    std::filesystem::path folder;
    /// A run of the same shape that learning begins with, RUN or RUN:key=value: the weights of the same
    /// agent, or what Agent::begin_with() makes of another's; empty = nothing.
    std::string start_from = {};
    /// Names of the items where the world has none: a world learned from a log.
    std::shared_ptr<const simulate::ItemTexts> item_texts = nullptr;
};

LearnResult learn_run(
    const LearnRequest& request, ProgressSink& progress, const std::stop_token& stop
);

struct LoadedAgent {
    std::string name;  // of the run's folder, or of the agent where it was never learned
    std::unique_ptr<Agent> agent;
    std::size_t session_tokens = 0;
};

/// A run of learn (RUN, or RUN:key=value to play it with another option than it learned with), or an
/// agent that needs no learning (NAME or NAME:key=value,key=value). Throws Error when it is neither, or
/// when it was learned in a world of another shape.
[[nodiscard]] LoadedAgent load_agent(
    const std::string& run_or_name,
    const simulate::EnvironmentFacts& world,
    const Settings& settings,
    std::uint64_t seed
);

/// The same for judging a log, which knows the sizes of what was seen but not how many items and
/// states the world has: these are the run's own.
[[nodiscard]] LoadedAgent load_agent_for_log(
    const std::string& run_or_name, const simulate::EnvironmentFacts& logged, std::uint64_t seed
);

/// The shape an agent depends on, for manifests.
[[nodiscard]] nlohmann::json shape_json(const simulate::EnvironmentFacts& world);

}  // namespace hg::policy
