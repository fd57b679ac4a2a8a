// SPDX-License-Identifier: Apache-2.0
// honeyguide simulate: worlds made, measured and played in. Each sub-verb is a file of simulate/
// and a line in simulate/builtin.def.
#include "app/command.hpp"
#include "app/sub_verbs.hpp"

#include <array>

namespace hg::app {

namespace simulating {

#define HG_COMMAND(name) extern const CommandEntry name;
#include "app/commands/simulate/builtin.def"
#undef HG_COMMAND

}  // namespace simulating

namespace {

constexpr std::array sub_verbs{
#define HG_COMMAND(name) &simulating::name,
#include "app/commands/simulate/builtin.def"
#undef HG_COMMAND
};

Run declare_simulate(CLI::App& verb) {
    return declare_sub_verbs(verb, sub_verbs);
}

}  // namespace

extern const CommandEntry simulate{
    .name = "simulate",
    .summary = "worlds of users: fit one to a log, measure it, play a policy in it",
    .example = "honeyguide simulate run --world interest_evolution --policy random --episodes 200",
    .declare = &declare_simulate,
    .sub_verbs = sub_verbs,
};

}  // namespace hg::app
