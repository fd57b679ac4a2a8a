// SPDX-License-Identifier: Apache-2.0
// MappedRows: the rows of an export under our names, by the rules of its importer.
//
// Columns are the rules' `to` in the order of the rules, whether the file has them or not, so their
// places are known; columns of prefix rules follow. Broken rows pass through as they are.
#pragma once

#include "data/importer.hpp"
#include "data/row_reader.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

class MappedRows final : public RowReader {
  public:
    /// Why a row (under our names) is left out; empty = it is kept.
    using Filter = std::function<std::string_view(const Row& row)>;

    /// `context` counts what the filter leaves out; it outlives the reader.
    MappedRows(
        std::unique_ptr<RowReader> source,
        std::span<const ColumnRule> rules,
        Filter filter,
        ImportContext& context
    );

    bool next(Row& row) override;

    [[nodiscard]] std::size_t estimated_rows() const override { return source_->estimated_rows(); }

    [[nodiscard]] bool has_header() const override { return source_->has_header(); }

  private:
    struct Source {
        std::size_t index;
        const ColumnRule* rule;
    };

    void bind();
    std::size_t column(std::string_view name);
    void map(Row& row);

    std::unique_ptr<RowReader> source_;
    std::span<const ColumnRule> rules_;
    Filter filter_;
    ImportContext& context_;
    Row raw_;
    std::size_t n_bound_ = 0;
    std::vector<std::vector<Source>> sources_;  // of each of our columns, best first
    std::deque<std::string> scratch_;           // one per column
};

/// open_export with the rules of that table applied.
[[nodiscard]] Result<std::unique_ptr<RowReader>> open_mapped(
    const std::filesystem::path& path,
    std::span<const ColumnRule> rules,
    ImportContext& context,
    MappedRows::Filter filter = {}
);

}  // namespace hg::data
