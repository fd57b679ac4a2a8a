// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/open_world.hpp"

#include "core/progress.hpp"
#include "data/dataset.hpp"
#include "simulate/learned/label_world.hpp"
#include "simulate/learned/learned_world.hpp"
#include "simulate/leave_rule.hpp"
#include "simulate/world_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view labels_prefix = "labels:";
const std::array<std::string, 2> sections{"leave", "reward"};

bool is_known(std::string_view name) {
    return std::ranges::any_of(worlds(), [&](const auto* entry) { return entry->name == name; });
}

/// Neither a known name nor a folder: the answer for a mistyped name lists the known ones.
void check_exists(std::string_view name) {
    if (name.starts_with(labels_prefix)) {
        return;
    }
    std::error_code ignored;
    if (!is_known(name) && !fs::is_directory(fs::path{name}, ignored)) {
        (void)find_world(name);  // throws
    }
}

std::unique_ptr<Environment> open_labels(std::string_view folder, const Settings& settings) {
    const auto options = settings.read<LabelWorldOptions>();
    const auto dataset = value_or_throw(data::open_dataset(fs::path{folder}));
    SilentProgress silent;
    return make_label_world(
        std::make_shared<const Labels>(make_labels(dataset, options, silent, {})), options
    );
}

}  // namespace

std::unique_ptr<Environment> open_world(std::string_view name_or_run, const Settings& settings) {
    check_exists(name_or_run);
    if (is_known(name_or_run)) {
        return make_world(name_or_run, settings);
    }
    const auto own = settings.without_sections(sections);
    const auto leave = settings.section("leave").read<LeaveOptions>();
    std::unique_ptr<Environment> world;
    if (name_or_run.starts_with(labels_prefix)) {
        world = open_labels(name_or_run.substr(labels_prefix.size()), own);
    } else {
        const auto options = own.read<LearnedWorldOptions>();
        const auto reward = settings.section("reward").read<RewardOptions>();
        world = std::make_unique<LearnedWorld>(
            load_world(fs::path{name_or_run}).model, options, reward
        );
    }
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
    const bool has_labels = name_or_run.starts_with(labels_prefix);
    auto resolved =
        settings.without_sections(sections)
            .resolve(has_labels ? &describe_options<LabelWorldOptions> : &describe_options<LearnedWorldOptions>);
    const auto add = [&](const std::string& section, DescribeOptions describe) {
        const auto values = settings.section(section).resolve(describe);
        for (const auto& [key, value] : values.items()) {
            resolved[section + "." + key] = value;
        }
    };
    if (!has_labels) {
        add("reward", &describe_options<RewardOptions>);
    }
    if (!settings.section("leave").empty()) {
        add("leave", &describe_options<LeaveOptions>);
    }
    return resolved;
}

}  // namespace hg::simulate
