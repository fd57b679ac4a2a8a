// SPDX-License-Identifier: Apache-2.0
#include "app/run_options.hpp"

#include "app/shipped_configs.hpp"

namespace hg::app {

Settings RunOptions::settings() const {
    return load_config(config, set);
}

void add_run_options(CLI::App& verb, RunOptions& options, const RunOptionsHelp& help) {
    verb.add_option("--config", options.config, help.config);
    verb.add_option("--set", options.set, help.set)->type_size(1)->allow_extra_args(false);
    verb.add_option("--seed", options.seed, help.seed)->capture_default_str();
    verb.add_flag("--json", options.as_json, "for machines");
}

}  // namespace hg::app
