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

/// Takes the exports out of `paths`.
Result<void> claim_exports(Paths& paths, RawFiles& files) {
    Paths others;
    for (const auto& path : paths) {
        std::error_code ignored;
        const ImporterEntry* entry = nullptr;
        if (may_be_export(path) && fs::is_regular_file(path, ignored)) {
            HG_TRY(const auto head, read_file_head(path));
            entry = recognise(head);
        }
        if (entry == nullptr) {
            others.push_back(path);
            continue;
        }
        for (const auto& table : entry->tables) {
            files.sources.push_back({path, table.kind, entry});
        }
    }
    paths = std::move(others);
    return {};
}

void ignore_the_rest(const Paths& paths, RawFiles& files) {
    for (const auto& path : paths) {
        const bool is_read =
            std::ranges::find(files.sources, path, &TableSource::path) != files.sources.end();
        const auto extension = path.extension();
        if (!is_read && (extension == ".kg" || extension == ".link" || extension == ".net")) {
            files.ignored.push_back({path, "RecBole's graphs are not read"});
        } else if (!is_read && (may_be_export(path) || !table_extension(path).empty())) {
            files.ignored.push_back(
                {path, "neither named as a table of ours nor with the columns of a known export"}
            );
        }
    }
}

Error no_interactions(const fs::path& folder, const Paths& all, const RawFiles& files) {
    constexpr std::size_t names_shown = 8;
    std::vector<std::string> names;
    for (const auto& path : all) {
        if (names.size() < names_shown) {
            names.push_back(path.filename().string());
        }
    }
    if (!files.sources.empty()) {
        const auto& source = files.sources.front();
        return {
            ErrorCode::not_found,
            fmt::format(
                "{}: no interactions; {} holds only {}",
                folder.string(),
                source.path.filename().string(),
                to_string(source.kind)
            ),
            "put the orders or the events of the same shop beside it (docs/formats/importers.md)"
        };
    }
    return {
        ErrorCode::not_found,
        fmt::format(
            "{}: no interactions; found {}",
            folder.string(),
            names.empty() ? "an empty folder" : fmt::format("{}", fmt::join(names, ", "))
        ),
        "expected interactions.csv, .csv.gz, .tsv, .jsonl, .parquet or .inter, with columns "
        "user_id and "
        "item_id, or a known export (docs/formats/importers.md)"
    };
}

}  // namespace

std::vector<TableSource> RawFiles::of(TableKind kind) const {
    std::vector<TableSource> found;
    std::ranges::copy_if(sources, std::back_inserter(found), [kind](const auto& source) {
        return source.kind == kind;
    });
    return found;
}

Result<RawFiles> find_raw_files(const fs::path& folder, Importers importers) {
    HG_TRY(const auto all, list_folder(folder));
    RawFiles files;
    auto others = all;
    if (importers == Importers::by_columns) {
        if (auto claimed = claim_exports(others, files); !claimed) {
            return std::unexpected(claimed.error());
        }
    }
    const auto take = [&files](const Paths& paths, TableKind kind) {
        for (const auto& path : paths) {
            files.sources.push_back({path, kind, nullptr});
        }
    };
    HG_TRY(const auto events, files_of(others, {"interactions", "ratings", "events"}, ".inter"));
    HG_TRY(const auto items, files_of(others, {"items", "movies", "products"}, ".item"));
    HG_TRY(const auto users, files_of(others, {"users", "customers"}, ".user"));
    take(events, TableKind::interactions);
    take(items, TableKind::items);
    take(users, TableKind::users);
    std::ranges::stable_sort(files.sources, {}, &TableSource::kind);
    if (files.of(TableKind::interactions).empty()) {
        return std::unexpected(no_interactions(folder, all, files));
    }
    ignore_the_rest(others, files);
    return files;
}

Result<void> learn_references(const RawFiles& files, ImportContext& context) {
    for (const auto& source : files.sources) {
        const auto* const entry = source.importer;
        if (entry == nullptr || entry->learn == nullptr || entry->tables[0].kind != source.kind) {
            continue;
        }
        if (auto learned = entry->learn(source.path, context); !learned) {
            return learned;
        }
    }
    return {};
}

Result<std::unique_ptr<RowReader>> open_source(const TableSource& source, ImportContext& context) {
    return source.importer == nullptr ? open_rows(source.path)
                                      : source.importer->open(source.path, source.kind, context);
}

}  // namespace hg::data
