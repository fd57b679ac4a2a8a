// SPDX-License-Identifier: Apache-2.0
#include "simulate/world_entry.hpp"

#include "core/registry.hpp"
#include "simulate/leave_rule.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <string>

namespace hg::simulate {

#define HG_WORLD(name) extern const WorldEntry name;
#include "simulate/worlds/builtin.def"
#undef HG_WORLD

namespace {

constexpr std::array table{
#define HG_WORLD(name) &name,
#include "simulate/worlds/builtin.def"
#undef HG_WORLD
};

const std::array<std::string, 1> leave_section{"leave"};

}  // namespace

std::span<const WorldEntry* const> worlds() {
    return table;
}

const WorldEntry& find_world(std::string_view name) {
    return find_entry<WorldEntry>(worlds(), name, "world");
}

std::unique_ptr<Environment> make_world(std::string_view name, const Settings& settings) {
    auto world = find_world(name).make(settings.without_sections(leave_section));
    const auto leave = settings.section("leave").read<LeaveOptions>();
    return leave.is_off() ? std::move(world) : with_leave_rule(std::move(world), leave);
}

nlohmann::json resolve_world_settings(std::string_view name, const Settings& settings) {
    auto resolved = settings.without_sections(leave_section).resolve(find_world(name).options);
    const auto leave = settings.section("leave");
    if (!leave.empty()) {
        const auto values = leave.resolve(&describe_options<LeaveOptions>);
        for (const auto& [key, value] : values.items()) {
            resolved["leave." + key] = value;
        }
    }
    return resolved;
}

}  // namespace hg::simulate
