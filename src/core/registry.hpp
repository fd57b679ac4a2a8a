// SPDX-License-Identifier: Apache-2.0
// Registry: one table per kind of plug-in (models, encoders, commands, ...), made from a .def file.
//
// A plug-in is one file holding `extern const XEntry name{...}` and one line in builtin.def.
// Entries are constant data: no self-registration, because the linker drops such objects from
// archives.
//
//   // throws, listing what exists
//   const ModelEntry& entry = find_entry<ModelEntry>(models(), "ease", "model");
#pragma once

#include "core/error.hpp"
#include "core/nearest.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg {

/// Entry needs a member `name` convertible to string_view. O(n): tables are short.
template <typename Entry>
[[nodiscard]] const Entry& find_entry(
    std::span<const Entry* const> table, std::string_view name, std::string_view kind
) {
    std::vector<std::string_view> names;
    for (const Entry* entry : table) {
        if (entry->name == name) {
            return *entry;
        }
        names.emplace_back(entry->name);
    }
    throw Error{
        ErrorCode::invalid_argument,
        "unknown " + std::string{kind} + " \"" + std::string{name} + "\"",
        suggest(name, names),
    };
}

}  // namespace hg
