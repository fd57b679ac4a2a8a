// SPDX-License-Identifier: Apache-2.0
// honeyguide inspect: look at what the other verbs made. Each sub-verb is a file of inspect/ and a
// line in inspect/builtin.def.
#include "app/command.hpp"
#include "app/sub_verbs.hpp"

#include <array>

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

Run declare_inspect(CLI::App& verb) {
    return declare_sub_verbs(verb, sub_verbs);
}

}  // namespace

extern const CommandEntry inspect{
    .name = "inspect",
    .summary =
        "look at what was made: impressions of a server, neighbours of an item, what to ask "
        "newcomers "
        "for, tokens of a text",
    .example = "honeyguide inspect neighbours --data datasets/movies --item 1",
    .declare = &declare_inspect,
    .sub_verbs = sub_verbs,
};

}  // namespace hg::app
