// SPDX-License-Identifier: Apache-2.0
// DelimitedReader: CSV (RFC 4180) and TSV, split in place over a borrowed text.
//
// Quotes: `rfc4180` = a cell that begins with a quote ends at the next single quote and may hold
// separators and line ends; `whole_cell` = a cell inside quotes on one line is unquoted (TSV as
// written by pandas); `none` = quotes are ordinary characters (RecBole). An unclosed quote costs
// one line, not the rest.
#pragma once

#include "data/row_reader.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace hg::data {

enum class Quotes : std::uint8_t { rfc4180, whole_cell, none };

class DelimitedReader final : public RowReader {
  public:
    /// `text` outlives the reader; its first line is the header.
    DelimitedReader(std::string_view text, char separator, Quotes quotes);

    bool next(Row& row) override;
    [[nodiscard]] std::size_t estimated_rows() const override;

  private:
    void split(Row& row);
    std::string_view quoted_cell(Row& row);
    std::string_view plain_cell();
    std::string_view without_quotes(std::string_view inside);
    void skip_line_of(Row& row, std::size_t start);

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t line_ = 1;
    std::size_t scratch_used_ = 0;
    std::deque<std::string> scratch_;  // cells whose quotes had to be rewritten
    char separator_;
    Quotes quotes_;
};

/// The separator a header line uses: a comma, or the first of ; tab | that occurs when no comma
/// does.
[[nodiscard]] char guess_separator(std::string_view text);

}  // namespace hg::data
