// SPDX-License-Identifier: Apache-2.0
// FileRows: the rows of a file, which stays open behind the reader.
#pragma once

#include "data/row_reader.hpp"
#include "data/text_file.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace hg::data {

class FileRows final : public RowReader {
  public:
    /// The reader of a text that outlives it.
    using Make = std::function<std::unique_ptr<RowReader>(std::string_view text)>;

    FileRows(TextFile file, const Make& make) : file_(std::move(file)), rows_(make(file_.text())) {
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

}  // namespace hg::data
