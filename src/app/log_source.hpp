// SPDX-License-Identifier: Apache-2.0
// log_source: the log that ope, gate and inspect are given: an impression log, an Open Bandit file,
// or the database of a server together with the dataset it serves.
#pragma once

#include "app/command.hpp"
#include "data/dataset.hpp"
#include "data/impression_log.hpp"
#include "data/served_log.hpp"

#include <memory>
#include <string>
#include <vector>

namespace hg::app {

struct LogSource {
    std::string path{};
    std::string data{};  // folder of the dataset, for a database
    double window_seconds = 86'400;
    std::string since{};    // a date; empty = from the beginning
    std::string segment{};  // of a database: the users' field that tells segments apart
};

/// --data, --window, --since and --segment; --log (or --db) is the verb's.
void declare_log_options(CLI::App& verb, LogSource& source);

/// .csv and .csv.gz are Open Bandit files, anything else an impression log. Throws Error.
[[nodiscard]] data::ImpressionLog read_log(const LogSource& source);

struct ServerLog {
    std::shared_ptr<const data::Dataset> dataset;
    data::ServedLog served;
};

/// Throws Error.
[[nodiscard]] ServerLog open_server_log(const LogSource& source, data::Purpose purpose);

/// Whole sentences: what was used and what was left out, and what makes the log less than it seems.
[[nodiscard]] std::vector<std::string> notes_on(const ServerLog& log, const LogSource& source);

}  // namespace hg::app
