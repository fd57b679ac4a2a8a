// SPDX-License-Identifier: Apache-2.0
// XmlItemReader: the <item>s of an RSS feed or the <entry>s of an Atom feed as rows, by expat.
//
// Columns are the names of an item's direct children without their prefix (<g:price> -> price), as
// they appear; a child that repeats is a list, a child that holds elements is empty. Broken XML is
// one row with a problem, behind which nothing can be read. Entities of a DTD are not expanded.
#pragma once

#include "data/row_reader.hpp"

#include <memory>
#include <string_view>

namespace hg::data {

class XmlItemReader final : public RowReader {
  public:
    /// `text` outlives the reader.
    explicit XmlItemReader(std::string_view text);
    XmlItemReader(const XmlItemReader&) = delete;
    XmlItemReader& operator=(const XmlItemReader&) = delete;
    XmlItemReader(XmlItemReader&&) = delete;
    XmlItemReader& operator=(XmlItemReader&&) = delete;
    ~XmlItemReader() override;

    bool next(Row& row) override;
    [[nodiscard]] std::size_t estimated_rows() const override;

    [[nodiscard]] bool has_header() const override { return false; }

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

}  // namespace hg::data
