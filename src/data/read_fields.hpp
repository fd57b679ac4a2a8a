// SPDX-License-Identifier: Apache-2.0
// FieldReader: item or user files -> typed fields of a Catalogue.
//
// A column's kind is what dataset.toml says, else what its name says (title, genres, price, image
// ...), else typed by looking: all numeric -> number, addresses -> link, words joined by "|" ->
// categories, few distinct values -> category, anything else -> text. Later rows of the same id
// fill in or replace.
#pragma once

#include "core/error.hpp"
#include "data/catalogue.hpp"
#include "data/column_names.hpp"
#include "data/dataset_config.hpp"
#include "data/id_map.hpp"
#include "data/rejected.hpp"
#include "data/row_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

/// A column before it has a kind: cells by row id, an empty one is missing.
struct RawColumn {
    std::string name;
    std::string declared;  // RecBole's type: token, token_seq, float, ...
    FieldRule rule;
    std::vector<std::string> cells;
};

/// Decides the kind of a column and turns its cells into a field of n_rows rows.
[[nodiscard]] Field make_field(const RawColumn& column, std::size_t n_rows);

/// The name of the field that a column becomes: "title" for the many names of titles.
[[nodiscard]] std::string field_name(std::string_view column);

/// What dataset.toml and RecBole's type say of a column.
[[nodiscard]] FieldRule rule_of(std::string_view column, const TableConfig& config);

/// The column of the id; fails, saying what was found and expected.
[[nodiscard]] Result<std::size_t> find_id_column(
    const std::filesystem::path& path,
    const std::vector<std::string>& columns,
    Role role,
    const TableConfig& config
);

class FieldReader {
  public:
    /// `role` is user or item; all arguments outlive the reader.
    FieldReader(Role role, const TableConfig& config, IdMap& ids, Rejections& rejections);

    /// Ids not met before are added to the IdMap: items nobody has touched yet can be recommended.
    [[nodiscard]] Result<void> read(const std::filesystem::path& path, RowReader& rows);
    /// Row i = id i. Columns without any value are left out.
    [[nodiscard]] Catalogue finish() &&;

    [[nodiscard]] std::size_t rows() const noexcept { return rows_; }

  private:
    /// Index into columns_ of each column of the file; the id and ignored ones have none.
    void bind(const std::vector<std::string>& columns, std::size_t id);
    /// Takes the row, or says what is wrong with it.
    [[nodiscard]] std::string take(const Row& row, std::size_t id);

    Role role_;
    const TableConfig& config_;
    IdMap& ids_;
    Rejections& rejections_;
    std::size_t rows_ = 0;
    std::vector<RawColumn> columns_;
    std::vector<std::size_t> targets_;
};

}  // namespace hg::data
