// SPDX-License-Identifier: Apache-2.0
#include "data/catalogue.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::data {

std::string_view to_string(FieldKind kind) noexcept {
    switch (kind) {
        case FieldKind::text:
            return "text";
        case FieldKind::category:
            return "category";
        case FieldKind::categories:
            return "categories";
        case FieldKind::number:
            return "number";
        case FieldKind::link:
            return "link";
    }
    return "text";
}

std::span<const std::uint32_t> Field::row_codes(std::size_t row) const {
    const auto begin = static_cast<std::size_t>(code_offsets.at(row));
    const auto end = static_cast<std::size_t>(code_offsets.at(row + 1));
    return std::span{codes}.subspan(begin, end - begin);
}

std::string Field::text(std::size_t row) const {
    if (present.at(row) == 0) {
        return {};
    }
    switch (kind) {
        case FieldKind::text:
        case FieldKind::link:
            return texts.at(row);
        case FieldKind::number:
            return fmt::format("{}", numbers.at(row));
        case FieldKind::category:
        case FieldKind::categories:
            break;
    }
    std::string joined;
    for (const auto code : row_codes(row)) {
        if (!joined.empty()) {
            joined += '|';
        }
        joined += vocabulary.at(code);
    }
    return joined;
}

Catalogue::Catalogue(std::size_t n_rows, std::vector<Field> fields)
    : n_rows_(n_rows), fields_(std::move(fields)) {
    for (const auto& field : fields_) {
        HG_CHECK(
            field.present.size() == n_rows, "field " + field.name + " has another number of rows"
        );
    }
}

const Field* Catalogue::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(fields_, name, &Field::name);
    return found == fields_.end() ? nullptr : &*found;
}

std::string Catalogue::title(std::size_t row) const {
    for (const auto* name : {"title", "name", "movie_title"}) {
        if (const auto* field = find(name); field != nullptr && row < n_rows_) {
            return field->text(row);
        }
    }
    return {};
}

}  // namespace hg::data
