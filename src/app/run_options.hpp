// SPDX-License-Identifier: Apache-2.0
// RunOptions: the tail of the command line that verbs which make something share: --config, --set,
// --seed and --json.
//
//   add_run_options(verb, arguments->run, {.config = "TOML file with the options of the fit"});
//   const auto settings = arguments->run.settings();
#pragma once

#include "core/options.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace hg::app {

struct RunOptions {
    std::string config;
    std::vector<std::string> set;
    std::uint64_t seed = 7;
    bool as_json = false;

    /// From --config and --set. Throws Error.
    [[nodiscard]] Settings settings() const;
};

/// What --help says of them.
struct RunOptionsHelp {
    std::string config;
    std::string set = "key=value, stronger than --config; repeat for more";
    std::string seed = "of every random draw";
};

/// Into `options`, which the verb keeps alive.
void add_run_options(CLI::App& verb, RunOptions& options, const RunOptionsHelp& help);

}  // namespace hg::app
