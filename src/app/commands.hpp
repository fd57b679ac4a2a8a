// SPDX-License-Identifier: Apache-2.0
// commands: all verbs, in the order of commands/commands.def.
#pragma once

#include "app/command.hpp"

#include <span>

namespace hg::app {

[[nodiscard]] std::span<const CommandEntry* const> commands();

}  // namespace hg::app
