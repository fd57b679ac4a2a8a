// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect: look at what the other verbs made. Each sub-verb is a file of inspect/ and a
// line in inspect/builtin.def.
#include "app/command.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <string>

namespace hg::app {

namespace inspecting {

#define HG_COMMAND(name) extern const CommandEntry name;
#include "app/commands/inspect/builtin.def"
#undef HG_COMMAND

}  // namespace inspecting

namespace {

constexpr std::array sub_verbs{
#define HG_COMMAND(name) &inspecting::name,
#include "app/commands/inspect/builtin.def"
#undef HG_COMMAND
};

Run declare(CLI::App& verb) {
    verb.require_subcommand(1);
    auto runs = std::make_shared<std::map<const CLI::App*, Run>>();
    for (const auto* entry : sub_verbs) {
        auto* sub = verb.add_subcommand(std::string{entry->name}, std::string{entry->summary});
        sub->footer(fmt::format("Example:\n  {}", entry->example));
        (*runs)[sub] = entry->declare(*sub);
    }
    return [runs, &verb](Session& session) {
        return runs->at(verb.get_subcommands().front())(session);
    };
}

}  // namespace

extern const CommandEntry inspect{
    .name = "inspect",
    .summary = "look at what was made: neighbours of an item, tokens of a text",
    .example = "honeyguide inspect neighbours --data datasets/movies --item 1",
    .declare = &declare,
};

}  // namespace hg::app
