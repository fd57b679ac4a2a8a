// SPDX-License-Identifier: Apache-2.0
// Raw datasets: a folder of tables as people have them -> Dataset, with a report of what was read.
#pragma once

#include "core/error.hpp"
#include "data/dataset.hpp"
#include "data/pseudonyms.hpp"
#include "data/rejected.hpp"

#include <cstddef>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace hg::data {

struct ReadOptions {
    std::size_t max_bad = std::numeric_limits<std::size_t>::max();  // stop once more rows are bad
    Rejections::Sink on_rejected{};
    const Pseudonyms* pseudonyms = nullptr;  // null: a folder with e-mail addresses is refused
};

struct ReadReport {
    std::vector<std::string> files;
    std::size_t rows = 0;      // of interactions, good and bad
    std::size_t rejected = 0;  // of all files
    std::map<std::string, std::size_t> reasons;
    std::vector<std::string> examples;            // the first messages
    std::vector<std::string> unused_columns;      // of the interactions
    std::map<std::string, std::size_t> left_out;  // rows of exports that are no use, by reason
    std::map<std::string, std::size_t> hashed;    // cells with addresses: "orders.csv: user_id"
};

struct RawDataset {
    Dataset data;
    ReadReport report;
};

[[nodiscard]] Result<RawDataset> read_raw_dataset(
    const std::filesystem::path& folder, const ReadOptions& options = {}
);

/// Hash of everything a dataset holds (not of its files): the raw folder and the ingested one
/// agree.
[[nodiscard]] std::string content_hash(const Dataset& data);

}  // namespace hg::data
