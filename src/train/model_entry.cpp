// SPDX-License-Identifier: Apache-2.0
#include "train/model_entry.hpp"

#include "core/registry.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <vector>

namespace hg::train {

#define HG_MODEL(name) extern const ModelEntry name;
#include "train/models/builtin.def"
#undef HG_MODEL

namespace {

constexpr std::array table{
#define HG_MODEL(name) &name,
#include "train/models/builtin.def"
#undef HG_MODEL
};

}  // namespace

std::span<const ModelEntry* const> models() {
    return table;
}

Settings without_parts(const Settings& settings) {
    std::vector<std::string> names;
    for (const auto* entry : models()) {
        names.emplace_back(entry->name);
    }
    return settings.without_sections(names);
}

nlohmann::json resolve_settings(const ModelEntry& entry, const Settings& settings) {
    if (!has(entry.facts, Fact::has_parts)) {
        return settings.resolve(entry.options);
    }
    auto resolved = without_parts(settings).resolve(entry.options);
    for (const auto* part : models()) {
        const auto own = settings.section(part->name);
        if (own.empty()) {
            continue;
        }
        const auto values = own.resolve(part->options);
        for (const auto& [key, value] : values.items()) {
            resolved[fmt::format("{}.{}", part->name, key)] = value;
        }
    }
    return resolved;
}

const ModelEntry& find_model(std::string_view name) {
    return find_entry<ModelEntry>(models(), name, "model");
}

}  // namespace hg::train
