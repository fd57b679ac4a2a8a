// SPDX-License-Identifier: Apache-2.0
// JsonLinesReader: one JSON object a line, parsed by simdjson; columns are the keys met so far.
//
// Numbers and booleans come as their text, null as an empty cell, an array of scalars as its words
// joined by list_separator, a nested object as its JSON.
#pragma once

#include "data/row_reader.hpp"

#include <memory>
#include <string_view>

namespace hg::data {

class JsonLinesReader final : public RowReader {
  public:
    /// `text` outlives the reader.
    explicit JsonLinesReader(std::string_view text);
    JsonLinesReader(const JsonLinesReader&) = delete;
    JsonLinesReader& operator=(const JsonLinesReader&) = delete;
    JsonLinesReader(JsonLinesReader&&) = delete;
    JsonLinesReader& operator=(JsonLinesReader&&) = delete;
    ~JsonLinesReader() override;

    bool next(Row& row) override;
    [[nodiscard]] std::size_t estimated_rows() const override;

  private:
    struct Parser;

    void parse(Row& row, std::string_view line);
    std::size_t column(std::string_view key, std::size_t guess);

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t line_ = 0;
    std::unique_ptr<Parser> parser_;
};

}  // namespace hg::data
