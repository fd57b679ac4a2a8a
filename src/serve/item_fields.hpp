// SPDX-License-Identifier: Apache-2.0
// item_fields: an item's fields between their two shapes: columns of a Catalogue and a JSON object.
#pragma once

#include "data/catalogue.hpp"
#include "serve/http/bodies.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <span>
#include <string>

namespace hg::serve {

/// {"title": "Toy Story", "genres": ["Animation", ...], "year": 1995}; missing values are left out.
[[nodiscard]] nlohmann::json fields_json(const data::Catalogue& catalogue, std::size_t row);

/// A catalogue of these items with the columns of `like`, so that an encoder learned on `like`
/// reads it.
[[nodiscard]] data::Catalogue catalogue_of(
    std::span<const nlohmann::json> items, const data::Catalogue& like
);

/// "title", else "name", else nothing.
[[nodiscard]] std::string title_of(const nlohmann::json& fields);

[[nodiscard]] bool matches(const nlohmann::json& fields, const FilterCondition& condition);
[[nodiscard]] bool matches(
    const data::Catalogue& catalogue, std::size_t row, const FilterCondition& condition
);

}  // namespace hg::serve
