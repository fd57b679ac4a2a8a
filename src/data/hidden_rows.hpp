// SPDX-License-Identifier: Apache-2.0
// HiddenRows: rows whose e-mail addresses have been hashed, in cells and in the row's text, so that
// neither ids and fields nor rejected.jsonl ever hold one.
//
// Cells of items keep theirs (a shop's own contact in a description); the text of their rows does
// not, because items may come from a file of orders.
#pragma once

#include "data/pseudonyms.hpp"
#include "data/row_reader.hpp"
#include "data/table_kind.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

namespace hg::data {

/// How many cells of which column held addresses; the first of them.
struct HiddenCells {
    std::map<std::string, std::size_t> columns;
    std::size_t first_line = 0;
};

/// Whether all cells of a row stand in its text, so that a text without addresses settles it, or some
/// are carried on from other rows.
enum class CellOrigin : std::uint8_t { row_text, anywhere };

/// Whose rows they are.
struct RowOrigin {
    TableKind kind = TableKind::interactions;
    CellOrigin cells = CellOrigin::anywhere;
};

class HiddenRows final : public RowReader {
  public:
    /// Without pseudonyms addresses stay and are only counted: the caller refuses. All arguments
    /// outlive the reader.
    HiddenRows(
        RowReader& rows, RowOrigin origin, const Pseudonyms* pseudonyms, HiddenCells& hidden
    );

    bool next(Row& row) override;

    [[nodiscard]] std::size_t estimated_rows() const override { return rows_.estimated_rows(); }

    [[nodiscard]] bool has_header() const override { return rows_.has_header(); }

  private:
    void hide_cells(Row& row);
    void hide_text(Row& row, bool is_escaped);

    RowReader& rows_;
    RowOrigin origin_;
    const Pseudonyms* pseudonyms_;
    HiddenCells& hidden_;
    std::deque<std::string> scratch_;  // one per column
    std::string text_;
};

}  // namespace hg::data
