// SPDX-License-Identifier: Apache-2.0
// world_source: the settings of one command line, parted: world.* for the world, learn.* for the
// loop, the rest for the agent.
#pragma once

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

/// From --config and --set. Throws Error.
[[nodiscard]] PolicySettings policy_settings(
    const std::string& config, const std::vector<std::string>& set
);

struct OpenedWorld {
    std::unique_ptr<simulate::EnvironmentBatch> batch;
    nlohmann::json facts;  // name and settings, for manifests
};

/// A known world's NAME or the folder of a learned one.
[[nodiscard]] OpenedWorld open_world(
    const std::string& name_or_run, const Settings& settings, std::size_t n_users
);

/// "a | b | c".
[[nodiscard]] std::string world_names();
[[nodiscard]] std::string agent_names();

}  // namespace hg::app
