// SPDX-License-Identifier: Apache-2.0
#include "data/select_rows.hpp"

#include <utility>
#include <vector>

namespace hg::data {
namespace {

template <typename T>
std::vector<T> rows_of(const std::vector<T>& column, std::span<const std::uint32_t> rows) {
    std::vector<T> out;
    if (column.empty()) {
        return out;
    }
    out.reserve(rows.size());
    for (const auto row : rows) {
        out.push_back(column[row]);
    }
    return out;
}

}  // namespace

Catalogue select_rows(const Catalogue& catalogue, std::span<const std::uint32_t> rows) {
    std::vector<Field> fields;
    for (const auto& field : catalogue.fields()) {
        Field out{
            .name = field.name,
            .kind = field.kind,
            .present = rows_of(field.present, rows),
            .texts = rows_of(field.texts, rows),
            .numbers = rows_of(field.numbers, rows),
            .vocabulary = field.vocabulary,
            .code_offsets = {},
            .codes = {},
        };
        if (!field.code_offsets.empty()) {
            out.code_offsets.push_back(0);
            for (const auto row : rows) {
                const auto codes = field.row_codes(row);
                out.codes.insert(out.codes.end(), codes.begin(), codes.end());
                out.code_offsets.push_back(static_cast<std::int64_t>(out.codes.size()));
            }
        }
        fields.push_back(std::move(out));
    }
    return {rows.size(), std::move(fields)};
}

}  // namespace hg::data
