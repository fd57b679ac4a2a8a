// SPDX-License-Identifier: Apache-2.0
// option_catalogue: everything that takes options (models, encoders, agents, worlds, verbs), from
// the one declaration of each, for `honeyguide config` and docs/reference.
//
//   for (const auto& part : option_catalogue()) {
//       part.each_option([](const OptionInfo& option) { ... });    // under the name --set takes
//   }
#pragma once

#include "app/command.hpp"
#include "core/options.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

/// A thing as far as its options go.
struct Configurable {
    std::string_view kind;  // "model", "encoder", "agent", "state encoder", "world", "verb", ...
    std::string name;       // of a sub-verb with its verb: "simulate fit"
    std::string_view summary;
    std::vector<OptionSection> sections;
    const CommandEntry* verb = nullptr;  // whose flags are options too

    void each_option(const std::function<void(const OptionInfo&)>& visit) const;
};

/// All of them, in the order of the rooms and then of each table.
[[nodiscard]] std::vector<Configurable> option_catalogue();

/// Those of that name; a world brings what every world takes. Throws Error with the nearest name.
[[nodiscard]] std::vector<Configurable> find_configurables(std::string_view name);

}  // namespace hg::app
