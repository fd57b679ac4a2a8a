// SPDX-License-Identifier: Apache-2.0
// Catalogue: typed fields of items (or of users); row i belongs to the id i of the matching IdMap.
//
// A field is a column with a kind; which vector is filled depends on the kind. `present` says which
// rows have a value: a missing number is 0 there, a missing text is empty, and encoders see the
// mask.
//
//   if (const Field* title = items.find("title")) { use(title->texts[item.index()]); }
#pragma once

#include "core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

enum class FieldKind : std::uint8_t {
    text,        // free text: texts
    category,    // one word of a vocabulary: codes (one a row)
    categories,  // several words: codes with offsets
    number,      // numbers
    link,        // image, audio or web address: texts
};

[[nodiscard]] std::string_view to_string(FieldKind kind) noexcept;

struct Field {
    std::string name;
    FieldKind kind = FieldKind::text;
    std::vector<std::uint8_t> present;       // [n_rows], 1 = has a value
    std::vector<std::string> texts;          // text, link: [n_rows]
    std::vector<float> numbers;              // number: [n_rows], raw values
    std::vector<std::string> vocabulary;     // category, categories
    std::vector<std::int64_t> code_offsets;  // category, categories: [n_rows + 1]
    std::vector<std::uint32_t> codes;        // indices into vocabulary

    [[nodiscard]] std::span<const std::uint32_t> row_codes(std::size_t row) const;
    /// The value of a row as a person reads it: "Animation|Comedy", "1995"; empty when missing.
    [[nodiscard]] std::string text(std::size_t row) const;
};

class Catalogue {
  public:
    Catalogue() = default;

    /// All fields must have n_rows rows.
    Catalogue(std::size_t n_rows, std::vector<Field> fields);

    [[nodiscard]] std::size_t n_rows() const noexcept { return n_rows_; }

    [[nodiscard]] std::span<const Field> fields() const noexcept { return fields_; }

    /// The field of that name, or null; borrowed.
    [[nodiscard]] const Field* find(std::string_view name) const noexcept;
    /// The best human-readable label of a row: title, else name, else empty.
    [[nodiscard]] std::string title(std::size_t row) const;

  private:
    std::size_t n_rows_ = 0;
    std::vector<Field> fields_;
};

}  // namespace hg::data
