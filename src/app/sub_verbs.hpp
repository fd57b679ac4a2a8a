// SPDX-License-Identifier: Apache-2.0
// sub_verbs: a verb that is a table of other verbs (inspect, simulate).
#pragma once

#include "app/command.hpp"

#include <span>

namespace hg::app {

/// Declares every entry as a subcommand of which exactly one must be given. `entries` are constant
/// data.
[[nodiscard]] Run declare_sub_verbs(CLI::App& verb, std::span<const CommandEntry* const> entries);

}  // namespace hg::app
