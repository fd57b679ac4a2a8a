// SPDX-License-Identifier: Apache-2.0
// WorldEntry: a world as a row of the registry: its name, its options, how to make it.
//
// To add a world: copy the nearest file of worlds/, end it with `extern const WorldEntry name{...}`
// and add HG_WORLD(name) to worlds/builtin.def. The contract suite then steps through it. Every
// world takes the options of the leave rule as leave.*.
//
//   const auto world = make_world("interest_evolution", settings);     // throws Error
#pragma once

#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace hg::simulate {

struct WorldEntry {
    std::string_view name;
    std::string_view summary;
    DescribeOptions options;
    std::unique_ptr<Environment> (*make)(const Settings& settings);
};

/// All known worlds, in the order of worlds/builtin.def.
[[nodiscard]] std::span<const WorldEntry* const> worlds();

/// Throws Error with the known names.
[[nodiscard]] const WorldEntry& find_world(std::string_view name);

/// A known world with its options, wearing the leave rule where leave.* asks for one.
[[nodiscard]] std::unique_ptr<Environment> make_world(
    std::string_view name, const Settings& settings = {}
);

/// Every option with its value after these settings, for manifests.
[[nodiscard]] nlohmann::json resolve_world_settings(
    std::string_view name, const Settings& settings
);

}  // namespace hg::simulate
