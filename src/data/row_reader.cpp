// SPDX-License-Identifier: Apache-2.0
#include "data/row_reader.hpp"

#include "data/cell.hpp"
#include "data/delimited.hpp"
#include "data/file_rows.hpp"
#include "data/json_lines.hpp"
#include "data/parquet_rows.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 7> extensions{
    ".csv", ".tsv", ".jsonl", ".parquet", ".inter", ".item", ".user"
};

/// Of a table of ours, by its extension.
std::unique_ptr<RowReader> table_rows(std::string_view text, std::string_view extension) {
    if (extension == ".jsonl") {
        return std::make_unique<JsonLinesReader>(text);
    }
    if (extension == ".csv") {
        return std::make_unique<DelimitedReader>(text, guess_separator(text), Quotes::rfc4180);
    }
    const auto quotes = extension == ".tsv" ? Quotes::whole_cell : Quotes::none;
    return std::make_unique<DelimitedReader>(text, '\t', quotes);
}

}  // namespace

std::string table_extension(const std::filesystem::path& path) {
    auto plain = path.filename();
    if (plain.extension() == ".gz") {
        plain = plain.stem();
    }
    auto extension = plain.extension().string();
    return std::ranges::find(extensions, extension) == extensions.end() ? std::string{} : extension;
}

Result<std::unique_ptr<RowReader>> open_rows(const std::filesystem::path& path) {
    const auto extension = table_extension(path);
    if (extension.empty()) {
        return fail(
            ErrorCode::invalid_argument,
            path.string() +
                ": unknown kind of table, expected .csv, .tsv, .jsonl, .inter (or .gz of them) or "
                ".parquet",
            "convert the file or rename it"
        );
    }
    if (extension == ".parquet") {
        return open_parquet(path);
    }
    HG_TRY(auto file, TextFile::open(path));
    return std::make_unique<FileRows>(std::move(file), [&extension](std::string_view text) {
        return table_rows(text, extension);
    });
}

Result<void> check_column_names(
    const std::filesystem::path& path, const std::vector<std::string>& columns
) {
    if (std::ranges::all_of(columns, is_utf8)) {
        return {};
    }
    return fail(
        ErrorCode::invalid_argument,
        path.string() + ": the column names are not UTF-8",
        "convert the file: iconv -f latin1 -t utf-8"
    );
}

std::size_t estimated_lines(std::string_view text) {
    constexpr std::size_t sample_bytes = 1 << 16;
    const auto sample = text.substr(0, sample_bytes);
    const auto lines = static_cast<std::size_t>(std::ranges::count(sample, '\n'));
    return sample.empty() ? 0 : (text.size() / sample.size() + 1) * (lines + 1);
}

}  // namespace hg::data
