// SPDX-License-Identifier: Apache-2.0
#include "app/shipped_configs.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace hg::app {

std::optional<Settings> find_shipped_config(std::string_view name) {
    const auto all = shipped_configs();
    const auto found = std::ranges::find(all, name, &ShippedConfig::name);
    return found == all.end() ? std::nullopt
                              : std::optional{parse_settings(found->toml, found->name)};
}

Settings load_config(const std::string& config, const std::vector<std::string>& assignments) {
    if (!config.empty() && !std::filesystem::exists(config)) {
        if (auto shipped = find_shipped_config(config)) {
            return load_settings(std::move(*shipped), assignments);
        }
    }
    return load_settings(
        config.empty() ? std::nullopt : std::optional<std::filesystem::path>{config}, assignments
    );
}

}  // namespace hg::app
