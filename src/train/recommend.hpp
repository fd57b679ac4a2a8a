// SPDX-License-Identifier: Apache-2.0
// recommend_lines: a file of queries in, a file of answers out: a run as a batch program.
//
// Answers come in input order, one a line: {"user_id", "items": [{"item_id", "score"}]}. Formats in
// docs/formats/queries.md. An outsider scores us by this with their own tools.
#pragma once

#include "core/progress.hpp"
#include "train/run.hpp"

#include <cstddef>
#include <iosfwd>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>

namespace hg::train {

enum class Seen : bool { hide, allow };

struct RecommendOptions {
    std::size_t k = 100;
    Seen seen = Seen::hide;  // whether items of the history may be recommended again
};

struct RecommendSummary {
    std::size_t n_queries = 0;
    std::size_t n_unknown_items = 0;     // ids the run does not know: ignored
    std::set<std::string> unknown_keys;  // of the queries: likely typos
};

/// Throws Error: `name`:line for a bad query, interrupted on a stop request. What was written to
/// `answers` by then is incomplete: write to a file through write_file_atomic.
RecommendSummary recommend_lines(
    const LoadedRun& run,
    std::string_view queries,
    std::string_view name,
    std::ostream& answers,
    const RecommendOptions& options,
    ProgressSink& progress,
    std::stop_token stop
);

}  // namespace hg::train
