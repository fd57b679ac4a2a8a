// SPDX-License-Identifier: Apache-2.0
// RowReader: the rows of a table file, whatever its format; cells are views, nothing is allocated
// per row.
//
// A row that breaks its format (an open quote, a missing cell, broken JSON) comes with `problem`
// set and the reader goes on behind it. Columns of JSON lines grow as new keys appear, so callers
// look at columns() again when its size changes.
//
//   HG_TRY(auto reader, open_rows("items.csv"));
//   for (Row row; reader->next(row);) { use(row.cells); }
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

/// Separates the words of one cell that was a list in its source (a JSON array).
constexpr char list_separator = '\x1f';

struct Row {
    std::size_t line = 0;                 // 1-based line in the file where the row begins
    std::string_view text;                // the row as it stands in the file
    std::vector<std::string_view> cells;  // one per column; valid until the next row
    std::string problem;                  // "has 3 cells, the header has 4"; empty = fine
    std::string advice;                   // how to mend it
};

class RowReader {
  public:
    RowReader() = default;
    RowReader(const RowReader&) = delete;
    RowReader& operator=(const RowReader&) = delete;
    RowReader(RowReader&&) = delete;
    RowReader& operator=(RowReader&&) = delete;
    virtual ~RowReader() = default;

    /// Column names without surrounding blanks, as written in the file.
    [[nodiscard]] const std::vector<std::string>& columns() const noexcept { return columns_; }

    /// Fills the row; false at the end of the file.
    virtual bool next(Row& row) = 0;

    /// Whether all columns are known before the first row; those of JSON lines and XML are not.
    [[nodiscard]] virtual bool has_header() const { return true; }

    /// About how many rows there are, for reserving memory.
    [[nodiscard]] virtual std::size_t estimated_rows() const = 0;

  protected:
    std::vector<std::string> columns_;
};

/// By extension: .csv, .tsv, .jsonl, .inter, .item, .user (RecBole), each also .gz, and .parquet. The reader owns
/// the file.
[[nodiscard]] Result<std::unique_ptr<RowReader>> open_rows(const std::filesystem::path& path);

/// Fails when a column's name is not UTF-8: the whole file has another encoding then.
[[nodiscard]] Result<void> check_column_names(
    const std::filesystem::path& path, const std::vector<std::string>& columns
);

/// The extension that names the format: "a/b.csv.gz" -> ".csv"; empty when it is none of ours.
[[nodiscard]] std::string table_extension(const std::filesystem::path& path);

/// How many lines a text has, by those of its first 64 KiB; for progress bars.
[[nodiscard]] std::size_t estimated_lines(std::string_view text);

}  // namespace hg::data
