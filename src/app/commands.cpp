// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include <array>

namespace hg::app {

#define HG_COMMAND(name) extern const CommandEntry name;
#include "app/commands/commands.def"
#undef HG_COMMAND

namespace {

constexpr std::array table{
#define HG_COMMAND(name) &name,
#include "app/commands/commands.def"
#undef HG_COMMAND
};

}  // namespace

std::span<const CommandEntry* const> commands() {
    return table;
}

}  // namespace hg::app
