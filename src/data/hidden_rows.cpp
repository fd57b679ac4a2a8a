// SPDX-License-Identifier: Apache-2.0
#include "data/hidden_rows.hpp"

#include <algorithm>
#include <string_view>

namespace hg::data {
namespace {

constexpr std::string_view escaped_at = "\\u0040";  // JSON may write @ so

}  // namespace

HiddenRows::HiddenRows(
    RowReader& rows, RowOrigin origin, const Pseudonyms* pseudonyms, HiddenCells& hidden
)
    : rows_(rows), origin_(origin), pseudonyms_(pseudonyms), hidden_(hidden) {
    columns_ = rows_.columns();
}

bool HiddenRows::next(Row& row) {
    if (!rows_.next(row)) {
        columns_ = rows_.columns();
        return false;
    }
    if (columns_.size() != rows_.columns().size()) {
        columns_ = rows_.columns();
    }
    const bool is_escaped = row.text.find(escaped_at) != row.text.npos;
    const bool is_in_text = is_escaped || row.text.find('@') != row.text.npos;
    const bool may_be_in_cells = is_in_text || origin_.cells == CellOrigin::anywhere;
    if (may_be_in_cells && origin_.kind != TableKind::items) {
        hide_cells(row);
    }
    if (is_in_text && pseudonyms_ != nullptr) {
        hide_text(row, is_escaped);
    }
    return true;
}

void HiddenRows::hide_cells(Row& row) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
        if (!find_address(row.cells[i])) {
            continue;
        }
        ++hidden_.columns[i < columns_.size() ? columns_[i] : std::string{}];
        if (hidden_.first_line == 0) {
            hidden_.first_line = row.line;
        }
        if (pseudonyms_ != nullptr) {
            scratch_.resize(std::max(scratch_.size(), row.cells.size()));
            scratch_[i] = pseudonyms_->hide(row.cells[i]);
            row.cells[i] = scratch_[i];
        }
    }
}

void HiddenRows::hide_text(Row& row, bool is_escaped) {
    text_ = row.text;
    for (auto at = text_.find(escaped_at); is_escaped && at != text_.npos;
         at = text_.find(escaped_at, at)) {
        text_.replace(at, escaped_at.size(), 1, '@');
    }
    text_ = pseudonyms_->hide(text_);
    row.text = text_;
}

}  // namespace hg::data
