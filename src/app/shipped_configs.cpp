// SPDX-License-Identifier: Apache-2.0
#include "app/shipped_configs.hpp"

#include <algorithm>

namespace hg::app {

std::optional<Settings> find_shipped_config(std::string_view name) {
    const auto all = shipped_configs();
    const auto found = std::ranges::find(all, name, &ShippedConfig::name);
    return found == all.end() ? std::nullopt
                              : std::optional{parse_settings(found->toml, found->name)};
}

}  // namespace hg::app
