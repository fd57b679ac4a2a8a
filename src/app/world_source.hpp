// SPDX-License-Identifier: Apache-2.0
// world_source: the settings of one command line, parted: world.* for the world, learn.* for the
// loop, the rest for the agent.
#pragma once

#include "app/command.hpp"
#include "app/run_options.hpp"
#include "core/options.hpp"
#include "simulate/environment_batch.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hg::app {

struct PolicySettings {
    Settings agent;
    Settings world;
    Settings learn;
};

[[nodiscard]] PolicySettings policy_settings(const Settings& all);

/// Of verbs in which an agent learns.
extern const RunOptionsHelp learning_help;

struct OpenedWorld {
    std::unique_ptr<simulate::EnvironmentBatch> batch;
    nlohmann::json facts;  // name and settings, for manifests
};

/// A known world's NAME, the folder of a learned one, labels:DATASET or served:RUN.
[[nodiscard]] OpenedWorld open_world(
    const std::string& name_or_run, const Settings& settings, std::size_t n_users
);

/// The same with users that an agent does not learn from: where a world has parts (labels, served),
/// those to be judged on, unless the settings say whom.
[[nodiscard]] OpenedWorld open_held_out(
    const std::string& name_or_run, Settings settings, std::size_t n_users
);

/// Networks of agents are small: more threads only wait for each other, and on a busy machine take
/// ten times as long. One, unless --threads asks for more.
void use_few_threads(const Session& session);

/// "a | b | c".
[[nodiscard]] std::string world_names();
[[nodiscard]] std::string agent_names();

}  // namespace hg::app
