// SPDX-License-Identifier: Apache-2.0
// RawFiles: which files of a folder hold interactions, items and users.
//
// interactions.csv, interactions_2024.csv.gz ... or everything in a folder interactions/; the same
// for items and users. Without them, RecBole's STEM.inter/.item/.user and MovieLens' ratings.csv
// and movies.csv are taken. Several files of a kind are read in the order of their names.
#pragma once

#include "core/error.hpp"

#include <filesystem>
#include <vector>

namespace hg::data {

struct RawFiles {
    std::vector<std::filesystem::path> interactions;  // never empty
    std::vector<std::filesystem::path> items;
    std::vector<std::filesystem::path> users;
};

/// Fails, saying what was found and what is expected, when the folder has no interactions.
[[nodiscard]] Result<RawFiles> find_raw_files(const std::filesystem::path& folder);

}  // namespace hg::data
