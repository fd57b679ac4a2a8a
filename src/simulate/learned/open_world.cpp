// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/open_world.hpp"

#include "simulate/learned/learned_world.hpp"
#include "simulate/leave_rule.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

const std::array<std::string, 2> sections{"leave", "reward"};

bool is_known(std::string_view name) {
    return std::ranges::any_of(worlds(), [&](const auto* entry) { return entry->name == name; });
}

/// Neither a known name nor a folder: the answer for a mistyped name lists the known ones.
void check_exists(std::string_view name) {
    std::error_code ignored;
    if (!is_known(name) && !fs::is_directory(fs::path{name}, ignored)) {
        (void)find_world(name);  // throws
    }
}

}  // namespace

std::unique_ptr<Environment> open_world(std::string_view name_or_run, const Settings& settings) {
    check_exists(name_or_run);
    if (is_known(name_or_run)) {
        return make_world(name_or_run, settings);
    }
    const auto options = settings.without_sections(sections).read<LearnedWorldOptions>();
    const auto reward = settings.section("reward").read<RewardOptions>();
    const auto leave = settings.section("leave").read<LeaveOptions>();
    auto world =
        std::make_unique<LearnedWorld>(load_world(fs::path{name_or_run}).model, options, reward);
    return leave.is_off() ? std::move(world) : with_leave_rule(std::move(world), leave);
}

std::unique_ptr<EnvironmentBatch> open_world_batch(
    std::string_view name_or_run, const Settings& settings, std::size_t n_users
) {
    return make_batch(*open_world(name_or_run, settings), n_users);
}

nlohmann::json resolve_open_world_settings(std::string_view name_or_run, const Settings& settings) {
    check_exists(name_or_run);
    if (is_known(name_or_run)) {
        return resolve_world_settings(name_or_run, settings);
    }
    auto resolved =
        settings.without_sections(sections).resolve(&describe_options<LearnedWorldOptions>);
    const auto add = [&](const std::string& section, DescribeOptions describe) {
        const auto values = settings.section(section).resolve(describe);
        for (const auto& [key, value] : values.items()) {
            resolved[section + "." + key] = value;
        }
    };
    add("reward", &describe_options<RewardOptions>);
    if (!settings.section("leave").empty()) {
        add("leave", &describe_options<LeaveOptions>);
    }
    return resolved;
}

}  // namespace hg::simulate
