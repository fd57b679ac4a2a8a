// SPDX-License-Identifier: Apache-2.0
// render_text: an item's fields as one short text for a text encoder.
//
// The rule, so that a stored vector can be explained: the parts below, in this order, with a
// full stop between them; parts that are missing are left out;
// "Toy Story. Animation, Children's, Comedy. 1995. PLOT".
//   1. title         title | name | movie_title | product_name
//   2. kinds         genres | genre | categories | category | class | tags | brand, joined by ", "
//   3. year          year | release_year, unless the title already says it
//   4. description   description | plot | overview | summary | abstract | text
// A catalogue with none of these columns gives all its text and category columns in their order.
// The option `fields` replaces the rule: these columns, in this order.
//
//   const TextRule rule = TextRule::for_catalogue(items, {});
//   rule.render(items, row);  // empty when the item has none of the parts
#pragma once

#include "data/catalogue.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace hg::encode {

class TextRule {
  public:
    /// Throws Error when a name in `fields` is no column of the catalogue.
    [[nodiscard]] static TextRule for_catalogue(
        const data::Catalogue& items, std::span<const std::string> fields
    );

    explicit TextRule(std::vector<std::string> columns) : columns_(std::move(columns)) {}

    /// Columns the catalogue does not have are left out.
    [[nodiscard]] std::string render(const data::Catalogue& items, std::size_t row) const;
    [[nodiscard]] std::vector<std::string> render_all(const data::Catalogue& items) const;

    [[nodiscard]] const std::vector<std::string>& columns() const noexcept { return columns_; }

  private:
    std::vector<std::string> columns_;
};

}  // namespace hg::encode
