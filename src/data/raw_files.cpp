// SPDX-License-Identifier: Apache-2.0
#include "data/raw_files.hpp"

#include "data/row_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

namespace hg::data {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;

/// "items_2024.csv.gz" belongs to "items"; "items.old.csv" does too, "itemsets.csv" does not.
bool has_stem(const fs::path& path, std::string_view stem) {
    const auto name = path.filename().string();
    if (!name.starts_with(stem) || name.size() == stem.size()) {
        return false;
    }
    const char behind = name[stem.size()];
    return behind == '.' || behind == '_' || behind == '-';
}

Result<Paths> list_folder(const fs::path& folder) {
    std::error_code error;
    Paths paths;
    for (fs::directory_iterator at{folder, error}, end; !error && at != end; at.increment(error)) {
        paths.push_back(at->path());
    }
    if (error) {
        const bool is_file = fs::is_regular_file(folder);
        return fail(
            is_file ? ErrorCode::invalid_argument : ErrorCode::not_found,
            fmt::format(
                "{}: {}",
                folder.string(),
                is_file ? "is a file, expected a folder" : error.message()
            ),
            "give the folder that holds interactions.csv"
        );
    }
    std::ranges::sort(paths);
    return paths;
}

/// Files of the first of these stems that has any; a folder of that name counts by its content.
Result<Paths> files_of(
    const Paths& all,
    std::initializer_list<std::string_view> stems,
    std::string_view recbole_extension
) {
    for (const auto stem : stems) {
        Paths found;
        for (const auto& path : all) {
            std::error_code ignored;
            if (path.filename() == stem && fs::is_directory(path, ignored)) {
                HG_TRY(auto inside, list_folder(path));
                std::erase_if(inside, [](const auto& p) { return table_extension(p).empty(); });
                found.insert(found.end(), inside.begin(), inside.end());
            } else if (has_stem(path, stem) && !table_extension(path).empty()) {
                found.push_back(path);
            }
        }
        if (!found.empty()) {
            return found;
        }
    }
    Paths found;
    std::ranges::copy_if(all, std::back_inserter(found), [&](const auto& path) {
        return table_extension(path) == recbole_extension;
    });
    return found;
}

}  // namespace

Result<RawFiles> find_raw_files(const fs::path& folder) {
    HG_TRY(const auto all, list_folder(folder));
    RawFiles files;
    HG_TRY(files.interactions, files_of(all, {"interactions", "ratings", "events"}, ".inter"));
    HG_TRY(files.items, files_of(all, {"items", "movies", "products"}, ".item"));
    HG_TRY(files.users, files_of(all, {"users", "customers"}, ".user"));
    if (!files.interactions.empty()) {
        return files;
    }
    constexpr std::size_t names_shown = 8;
    std::vector<std::string> names;
    for (const auto& path : all) {
        if (names.size() < names_shown) {
            names.push_back(path.filename().string());
        }
    }
    return fail(
        ErrorCode::not_found,
        fmt::format(
            "{}: no interactions; found {}",
            folder.string(),
            names.empty() ? "an empty folder" : fmt::format("{}", fmt::join(names, ", "))
        ),
        "expected interactions.csv, .csv.gz, .tsv, .jsonl or .inter, with columns user_id and "
        "item_id"
    );
}

}  // namespace hg::data
