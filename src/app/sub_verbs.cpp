// SPDX-License-Identifier: Apache-2.0
#include "app/sub_verbs.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

namespace hg::app {

Run declare_sub_verbs(CLI::App& verb, std::span<const CommandEntry* const> entries) {
    verb.require_subcommand(1);
    auto runs = std::make_shared<std::map<const CLI::App*, Run>>();
    for (const auto* entry : entries) {
        auto* sub = verb.add_subcommand(std::string{entry->name}, std::string{entry->summary});
        sub->footer(fmt::format("Example:\n  {}", entry->example));
        (*runs)[sub] = entry->declare(*sub);
    }
    return [runs, &verb](Session& session) {
        return runs->at(verb.get_subcommands().front())(session);
    };
}

}  // namespace hg::app
