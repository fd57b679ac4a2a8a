// SPDX-License-Identifier: Apache-2.0
#include "app/option_catalogue.hpp"

#include "app/commands.hpp"
#include "core/nearest.hpp"
#include "encode/encoder_entry.hpp"
#include "policy/agent.hpp"
#include "policy/meta/meta_learner.hpp"
#include "policy/state_encoder_facts.hpp"
#include "serve/served_world.hpp"
#include "simulate/learned/label_world.hpp"
#include "simulate/learned/learned_world.hpp"
#include "simulate/leave_rule.hpp"
#include "simulate/step_reward.hpp"
#include "simulate/world_entry.hpp"
#include "train/model_entry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace hg::app {
namespace {

constexpr std::string_view kind_of_worlds = "world";
constexpr std::string_view kind_of_all_worlds = "every world";

/// Entries of a registry whose options stand under one prefix.
template <typename Entry>
void add_entries(
    std::vector<Configurable>& all,
    std::string_view kind,
    std::string_view prefix,
    std::span<const Entry* const> entries
) {
    for (const auto* entry : entries) {
        all.push_back({kind, std::string{entry->name}, entry->summary, {{prefix, entry->options}}});
    }
}

void add_verbs(
    std::vector<Configurable>& all,
    const std::string& before,
    std::span<const CommandEntry* const> entries
) {
    for (const auto* entry : entries) {
        const auto name = before + std::string{entry->name};
        all.push_back(
            {"verb", name, entry->summary, {entry->settings.begin(), entry->settings.end()}, entry}
        );
        add_verbs(all, name + " ", entry->sub_verbs);
    }
}

}  // namespace

void Configurable::each_option(const std::function<void(const OptionInfo&)>& visit) const {
    for (const auto& section : sections) {
        section.describe([&](const OptionInfo& option) {
            auto named = option;
            if (!section.prefix.empty()) {
                named.name = fmt::format("{}.{}", section.prefix, option.name);
            }
            visit(named);
        });
    }
}

std::vector<Configurable> option_catalogue() {
    std::vector<Configurable> all;
    add_entries<train::ModelEntry>(all, "model", "", train::models());
    add_entries<encode::EncoderEntry>(all, "encoder", "", encode::encoders());
    add_entries<simulate::WorldEntry>(all, kind_of_worlds, "world", simulate::worlds());
    all.push_back(
        {kind_of_worlds,
         "learned",
         "the folder of a world made by simulate fit",
         {{"world", &describe_options<simulate::LearnedWorldOptions>},
          {"world.reward", &describe_options<simulate::RewardOptions>}}}
    );
    all.push_back(
        {kind_of_worlds,
         "labels:DATASET",
         "the users of a dataset themselves",
         {{"world", &describe_options<simulate::LabelWorldOptions>}}}
    );
    all.push_back(
        {kind_of_worlds,
         "served:RUN",
         "a run of train as it is served, with the users of a dataset",
         {{"world", &describe_options<serve::ServedWorldOptions>}}}
    );
    all.push_back(
        {kind_of_all_worlds,
         "leave",
         "users who walk away when bored, in any world",
         {{"world.leave", &describe_options<simulate::LeaveOptions>}}}
    );
    add_entries<policy::AgentEntry>(all, "agent", "", policy::agents());
    add_entries<policy::MetaLearnerEntry>(all, "meta-learner", "", policy::meta_learners());
    for (const auto& facts : policy::state_encoder_facts()) {
        all.push_back({"state encoder", std::string{facts.name}, facts.summary, {}});
    }
    add_verbs(all, "", commands());
    return all;
}

std::vector<Configurable> find_configurables(std::string_view name) {
    const auto all = option_catalogue();
    std::vector<Configurable> found;
    std::vector<std::string_view> names;
    bool has_world = false;
    for (const auto& part : all) {
        names.emplace_back(part.name);
        const bool is_asked = part.name == name;
        has_world = has_world || (is_asked && part.kind == kind_of_worlds);
        if (is_asked || (has_world && part.kind == kind_of_all_worlds)) {
            found.push_back(part);
        }
    }
    if (found.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("nothing called \"{}\" has options", name),
            suggest(name, names)
        };
    }
    return found;
}

}  // namespace hg::app
