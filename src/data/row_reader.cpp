// SPDX-License-Identifier: Apache-2.0
#include "data/row_reader.hpp"

#include "data/cell.hpp"
#include "data/delimited.hpp"
#include "data/json_lines.hpp"
#include "data/parquet_rows.hpp"
#include "data/text_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 7> extensions{
    ".csv", ".tsv", ".jsonl", ".parquet", ".inter", ".item", ".user"
};

/// Keeps the file behind a reader alive.
class FileRows final : public RowReader {
  public:
    FileRows(TextFile file, const std::string& extension) : file_(std::move(file)) {
        const auto text = file_.text();
        if (extension == ".jsonl") {
            rows_ = std::make_unique<JsonLinesReader>(text);
        } else if (extension == ".csv") {
            rows_ = std::make_unique<DelimitedReader>(text, guess_separator(text), Quotes::rfc4180);
        } else {
            const auto quotes = extension == ".tsv" ? Quotes::whole_cell : Quotes::none;
            rows_ = std::make_unique<DelimitedReader>(text, '\t', quotes);
        }
        columns_ = rows_->columns();
    }

    bool next(Row& row) override {
        const bool has_row = rows_->next(row);
        if (columns_.size() != rows_->columns().size()) {
            columns_ = rows_->columns();
        }
        return has_row;
    }

    [[nodiscard]] std::size_t estimated_rows() const override { return rows_->estimated_rows(); }

    [[nodiscard]] bool has_header() const override { return rows_->has_header(); }

  private:
    TextFile file_;
    std::unique_ptr<RowReader> rows_;
};

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
    return std::make_unique<FileRows>(std::move(file), extension);
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

}  // namespace hg::data
