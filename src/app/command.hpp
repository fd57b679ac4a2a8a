// SPDX-License-Identifier: Apache-2.0
// CommandEntry: a verb of the command line as a row of a table: one file in commands/, one line in
// commands.def.
//
// `declare` adds options to its CLI11 subcommand and returns what to run after parsing. Results go
// to stdout, logs and progress to stderr. Throw hg::Error to fail; main prints it and picks the
// exit code (0 done, 1 failed, 2 usage, 3 gate refused, 130 interrupted).
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <span>
#include <stop_token>
#include <string_view>

namespace hg::app {

/// What every verb gets.
struct Session {
    ProgressSink& progress;
    std::stop_token stop;  // requested by Ctrl-C or SIGTERM; a second Ctrl-C ends at once
    int threads = 0;       // --threads; 0 = as suits the verb
};

using Run = std::function<int(Session&)>;

/// Options that stand under a prefix: "learn" makes `steps` learn.steps; empty = as they are called.
struct OptionSection {
    std::string_view prefix;
    DescribeOptions describe;
};

struct CommandEntry {
    std::string_view name;
    std::string_view summary;
    std::string_view example;  // a runnable line, shown in --help
    Run (*declare)(CLI::App& verb);
    /// What --config and --set may say of the verb itself.
    std::span<const OptionSection> settings{};
    std::span<const CommandEntry* const> sub_verbs{};
};

}  // namespace hg::app
