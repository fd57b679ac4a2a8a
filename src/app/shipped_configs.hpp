// SPDX-License-Identifier: Apache-2.0
// shipped_configs: the files of configs/, put into the program at build time (cmake/configs.cmake):
// --config meta_policy/small finds them wherever it runs.
#pragma once

#include "core/options.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

struct ShippedConfig {
    std::string_view name;  // "meta_policy/small"
    std::string_view toml;
};

[[nodiscard]] std::span<const ShippedConfig> shipped_configs();

/// Nothing where none has the name.
[[nodiscard]] std::optional<Settings> find_shipped_config(std::string_view name);

/// What --config and --set of a verb say: `config` is a file, the name of a shipped one where there is no such
/// file, or empty. Throws Error as load_settings() does.
[[nodiscard]] Settings load_config(
    const std::string& config, const std::vector<std::string>& assignments
);

}  // namespace hg::app
