// SPDX-License-Identifier: Apache-2.0
// Ga4Rows: events of a Google Analytics 4 export as interactions or as the items they name.
//
// One line is one event with a list of items; each item of it is a row. Numbers may be texts, as
// BigQuery writes INT64.
#pragma once

#include "data/import_context.hpp"
#include "data/row_reader.hpp"
#include "data/table_kind.hpp"

#include <memory>
#include <string_view>

namespace hg::data {

class Ga4Rows final : public RowReader {
  public:
    /// `text` and `context` outlive the reader; `kind` is interactions or items.
    Ga4Rows(std::string_view text, TableKind kind, ImportContext& context);
    Ga4Rows(const Ga4Rows&) = delete;
    Ga4Rows& operator=(const Ga4Rows&) = delete;
    Ga4Rows(Ga4Rows&&) = delete;
    Ga4Rows& operator=(Ga4Rows&&) = delete;
    ~Ga4Rows() override;

    bool next(Row& row) override;
    [[nodiscard]] std::size_t estimated_rows() const override;

  private:
    struct Parser;

    /// Reads a line: rows_ are what comes of it, or `row` says what is wrong with it.
    bool read_line(Row& row);

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t line_ = 0;
    TableKind kind_;
    ImportContext& context_;
    std::unique_ptr<Parser> parser_;
};

}  // namespace hg::data
