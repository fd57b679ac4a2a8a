// SPDX-License-Identifier: Apache-2.0
// Ingest: a raw folder (or an older dataset) -> filtered -> a binary dataset on disk, with a
// report.
//
//   const auto report = value_or_throw(ingest("movies", "movies.ds", {}, progress));
#pragma once

#include "core/error.hpp"
#include "core/progress.hpp"
#include "data/filter.hpp"
#include "data/raw_dataset.hpp"
#include "data/summary.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

namespace hg::data {

struct IngestOptions {
    FilterOptions filters{};
    std::string since{};  // "2024-01-01" or a number as in the file; overrides filters.since
    std::string until{};
    std::size_t max_bad = std::numeric_limits<std::size_t>::max();
    /// File of the key that hashes e-mail addresses, made if it is not there; empty: the key of the
    /// dataset at `out`, else a new one.
    std::filesystem::path address_key{};
};

struct IngestReport {
    ReadReport read;
    std::vector<FilterStep> filters;
    std::size_t users_dropped = 0;
    std::size_t items_dropped = 0;
    Summary summary;
    double read_seconds = 0;
    double total_seconds = 0;  // with filters, summary and the durable write
};

/// Rejected rows are in OUT/rejected.jsonl, or in OUT.rejected.jsonl when max_bad stopped it.
[[nodiscard]] Result<IngestReport> ingest(
    const std::filesystem::path& folder,
    const std::filesystem::path& out,
    const IngestOptions& options,
    ProgressSink& progress
);

[[nodiscard]] nlohmann::json to_json(const IngestReport& report);

}  // namespace hg::data
