// SPDX-License-Identifier: Apache-2.0
#include "encode/render_text.hpp"

#include "core/error.hpp"
#include "core/nearest.hpp"
#include "data/cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace hg::encode {
namespace {

using data::Field;
using data::FieldKind;

constexpr std::array<std::string_view, 4> title_names{
    "title", "name", "movie_title", "product_name"
};
constexpr std::array<std::string_view, 7> kind_names{
    "genres", "genre", "categories", "category", "class", "tags", "brand"
};
constexpr std::array<std::string_view, 2> year_names{"year", "release_year"};
constexpr std::array<std::string_view, 6> description_names{
    "description", "plot", "overview", "summary", "abstract", "text"
};

void add_first(
    const data::Catalogue& items,
    std::span<const std::string_view> names,
    std::vector<std::string>& out
) {
    for (const auto name : names) {
        if (items.find(name) != nullptr) {
            out.emplace_back(name);
            return;
        }
    }
}

void add_all(
    const data::Catalogue& items,
    std::span<const std::string_view> names,
    std::vector<std::string>& out
) {
    for (const auto name : names) {
        if (items.find(name) != nullptr) {
            out.emplace_back(name);
        }
    }
}

std::string part_of(const Field& field, std::size_t row) {
    if (field.present.at(row) == 0) {
        return {};
    }
    if (field.kind != FieldKind::category && field.kind != FieldKind::categories) {
        return std::string{data::trim(field.text(row))};
    }
    std::string joined;
    for (const auto code : field.row_codes(row)) {
        joined += joined.empty() ? "" : ", ";
        joined += data::trim(field.vocabulary.at(code));
    }
    return joined;
}

bool is_year(std::string_view column) {
    return std::ranges::find(year_names, column) != year_names.end();
}

std::vector<std::string> default_columns(const data::Catalogue& items) {
    std::vector<std::string> columns;
    add_first(items, title_names, columns);
    add_all(items, kind_names, columns);
    add_first(items, year_names, columns);
    add_all(items, description_names, columns);
    if (!columns.empty()) {
        return columns;
    }
    for (const auto& field : items.fields()) {
        if (field.kind != FieldKind::number && field.kind != FieldKind::link) {
            columns.push_back(field.name);
        }
    }
    return columns;
}

}  // namespace

TextRule TextRule::for_catalogue(
    const data::Catalogue& items, std::span<const std::string> fields
) {
    if (fields.empty()) {
        return TextRule{default_columns(items)};
    }
    std::vector<std::string_view> known;
    for (const auto& field : items.fields()) {
        known.emplace_back(field.name);
    }
    for (const auto& name : fields) {
        if (items.find(name) == nullptr) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("items have no column \"{}\"", name),
                suggest(name, known),
            };
        }
    }
    return TextRule{{fields.begin(), fields.end()}};
}

std::string TextRule::render(const data::Catalogue& items, std::size_t row) const {
    std::string text;
    for (const auto& column : columns_) {
        const auto* field = items.find(column);
        if (field == nullptr) {
            continue;
        }
        const auto part = part_of(*field, row);
        if (part.empty() || (is_year(column) && text.contains(part))) {
            continue;
        }
        if (!text.empty()) {
            text += text.ends_with('.') ? " " : ". ";
        }
        text += part;
    }
    return text;
}

std::vector<std::string> TextRule::render_all(const data::Catalogue& items) const {
    std::vector<std::string> texts;
    texts.reserve(items.n_rows());
    for (std::size_t row = 0; row < items.n_rows(); ++row) {
        texts.push_back(render(items, row));
    }
    return texts;
}

}  // namespace hg::encode
