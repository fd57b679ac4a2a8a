// SPDX-License-Identifier: Apache-2.0
// open_world: any world by name: a known one ("interest_evolution"), the folder of a learned one
// ("runs/world"), or the users of a dataset themselves ("labels:DATASET", label_world.hpp), with the same settings grammar: the world's own options, leave.* and, for a
// learned one, reward.*.
//
//   const auto world = open_world("runs/world", settings);       // throws Error
//   const auto batch = open_world_batch("interest_evolution", settings, 256);
#pragma once

#include "core/options.hpp"
#include "simulate/environment.hpp"
#include "simulate/environment_batch.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <memory>
#include <string_view>

namespace hg::simulate {

/// A known world's name wins over a folder of the same name; write ./NAME for the folder.
[[nodiscard]] std::unique_ptr<Environment> open_world(
    std::string_view name_or_run, const Settings& settings
);

[[nodiscard]] std::unique_ptr<EnvironmentBatch> open_world_batch(
    std::string_view name_or_run, const Settings& settings, std::size_t n_users
);

/// Every option with its value after these settings, for manifests.
[[nodiscard]] nlohmann::json resolve_open_world_settings(
    std::string_view name_or_run, const Settings& settings
);

}  // namespace hg::simulate
