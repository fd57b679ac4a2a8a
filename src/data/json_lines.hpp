// SPDX-License-Identifier: Apache-2.0
// JsonLinesReader: one JSON object a line, parsed by simdjson; columns are the keys met so far.
//
// Numbers and booleans come as their text, null as an empty cell, an array of scalars as its words
// joined by list_separator, a nested object as its JSON or taken apart: {"Labels": {"genre": "x"}}
// is the column Labels.genre then.
#pragma once

#include "data/row_reader.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace hg::data {

enum class Nested : std::uint8_t { as_json, taken_apart };

class JsonLinesReader final : public RowReader {
  public:
    /// `text` outlives the reader.
    explicit JsonLinesReader(std::string_view text, Nested nested = Nested::as_json);
    JsonLinesReader(const JsonLinesReader&) = delete;
    JsonLinesReader& operator=(const JsonLinesReader&) = delete;
    JsonLinesReader(JsonLinesReader&&) = delete;
    JsonLinesReader& operator=(JsonLinesReader&&) = delete;
    ~JsonLinesReader() override;

    bool next(Row& row) override;
    [[nodiscard]] std::size_t estimated_rows() const override;

    [[nodiscard]] bool has_header() const override { return false; }

  private:
    struct Parser;
    struct Members;

    void parse(Row& row, std::string_view line);
    void take_members(Row& row, const Members& members, std::string_view prefix);
    std::size_t column(std::string_view key, std::size_t guess);

    std::string_view text_;
    std::size_t position_ = 0;
    std::size_t line_ = 0;
    Nested nested_;
    std::unique_ptr<Parser> parser_;
};

}  // namespace hg::data
