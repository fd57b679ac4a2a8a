// SPDX-License-Identifier: Apache-2.0
#include "app/world_source.hpp"

#include "core/progress.hpp"
#include "policy/agent.hpp"
#include "policy/belief_summary.hpp"
#include "serve/served_world.hpp"
#include "simulate/learned/open_world.hpp"
#include "simulate/leave_rule.hpp"
#include "simulate/world_entry.hpp"
#include "train/threads.hpp"

#include <array>

namespace hg::app {
namespace {

const std::array<std::string, 2> sections{"world", "learn"};

const std::array<std::string, 1> leave_section{"leave"};
constexpr std::string_view served_prefix = "served:";

OpenedWorld open_served(const std::string& name, const Settings& settings, std::size_t n_users) {
    const auto own = settings.without_sections(leave_section);
    const auto leave = settings.section("leave").read<simulate::LeaveOptions>();
    SilentProgress silent;
    auto world = serve::open_served_world(
        name.substr(served_prefix.size()), own.read<serve::ServedWorldOptions>(), silent, {}
    );
    if (!leave.is_off()) {
        world = simulate::with_leave_rule(std::move(world), leave);
    }
    auto resolved = own.resolve(&describe_options<serve::ServedWorldOptions>);
    if (!leave.is_off()) {
        const auto values =
            settings.section("leave").resolve(&describe_options<simulate::LeaveOptions>);
        for (const auto& [key, value] : values.items()) {
            resolved["leave." + key] = value;
        }
    }
    return {
        .batch = simulate::make_batch(*world, n_users),
        .facts =
            {{"name", name},
             {"settings", std::move(resolved)},
             {"belief", {{"kind", "gaussian"}, {"summary", policy::BeliefSummary::names}}}},
    };
}

template <typename Table>
std::string names_of(const Table& table) {
    std::string names;
    for (const auto* entry : table) {
        names += (names.empty() ? "" : " | ") + std::string{entry->name};
    }
    return names;
}

}  // namespace

const RunOptionsHelp learning_help{
    .config = "TOML file: the agent's options, [world], [learn]; or meta_policy/small, base, large",
    .set = "key=value: KEY of the agent, world.KEY or learn.KEY; repeat",
};

PolicySettings policy_settings(const Settings& all) {
    return {
        .agent = all.without_sections(sections),
        .world = all.section("world"),
        .learn = all.section("learn"),
    };
}

OpenedWorld open_world(
    const std::string& name_or_run, const Settings& settings, std::size_t n_users
) {
    if (name_or_run.starts_with(served_prefix)) {
        return open_served(name_or_run, settings, n_users);
    }
    return {
        .batch = simulate::open_world_batch(name_or_run, settings, n_users),
        .facts =
            {{"name", name_or_run},
             {"settings", simulate::resolve_open_world_settings(name_or_run, settings)}},
    };
}

OpenedWorld open_held_out(const std::string& name_or_run, Settings settings, std::size_t n_users) {
    const bool has_parts =
        name_or_run.starts_with(served_prefix) || name_or_run.starts_with("labels:");
    if (has_parts && !settings.values().contains("users")) {
        settings.set("users", "judge", "held out");
    }
    return open_world(name_or_run, settings, n_users);
}

void use_few_threads(const Session& session) {
    if (session.threads == 0) {
        train::set_threads(1);
    }
}

std::string world_names() {
    return names_of(simulate::worlds());
}

std::string agent_names() {
    return names_of(policy::agents());
}

}  // namespace hg::app
