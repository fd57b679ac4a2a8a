// SPDX-License-Identifier: Apache-2.0
// make_field: how a column of text becomes a typed field (declared in read_fields.hpp).
#include "data/cell.hpp"
#include "data/id_map.hpp"
#include "data/read_fields.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_set>

namespace hg::data {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 10> title_names{
    "title",
    "name",
    "movietitle",
    "producttitle",
    "productname",
    "itemname",
    "headline",
    "songtitle",
    "booktitle",
    "articletitle",
};
constexpr std::array<std::string_view, 12> text_names{
    "description",
    "plot",
    "overview",
    "summary",
    "abstract",
    "text",
    "body",
    "content",
    "synopsis",
    "reviewtext",
    "tagline",
    "longdescription",
};
constexpr std::array<std::string_view, 9> list_names{
    "genres",
    "genre",
    "categories",
    "category",
    "class",
    "tags",
    "keywords",
    "topics",
    "attributeids",
};
constexpr std::array<std::string_view, 11> link_names{
    "image",
    "imageurl",
    "img",
    "photo",
    "poster",
    "posterurl",
    "audio",
    "audiourl",
    "thumbnail",
    "cover",
    "url",
};

constexpr std::array<std::string_view, 8> number_names{
    "year",
    "releaseyear",
    "price",
    "quantity",
    "age",
    "duration",
    "runtime",
    "length",
};

bool is_one_of(std::string_view name, Names names) {
    return std::ranges::find(names, name) != names.end();
}

/// What separates the words of this column's cells: "|", a list's own mark, else for columns that
/// name lists ";" or ","; 0 when nothing does.
char separator_of(const RawColumn& column, bool is_list) {
    const auto occurs = [&](char c) {
        return std::ranges::any_of(column.cells, [c](const auto& cell) {
            return cell.find(c) != cell.npos;
        });
    };
    if (occurs(list_separator)) {
        return list_separator;
    }
    if (column.declared == "token_seq") {
        return ' ';
    }
    if (occurs('|')) {
        return '|';
    }
    if (!is_list) {
        return 0;
    }
    if (occurs(';')) {
        return ';';
    }
    return occurs(',') ? ',' : char{0};
}

/// 02139 is a postcode, not the number 2139.
bool has_leading_zero(std::string_view cell) {
    return cell.size() > 1 && cell[0] == '0' && cell[1] >= '0' && cell[1] <= '9';
}

bool all_present(const RawColumn& column, bool (*holds)(std::string_view)) {
    return std::ranges::all_of(column.cells, [holds](const auto& cell) {
        return cell.empty() || holds(cell);
    });
}

bool is_number(std::string_view cell) {
    return !has_leading_zero(trim(cell)) && parse_number(cell).has_value();
}

/// For columns whose name promises numbers: one cell in twenty may be something else, and is
/// missing then.
bool is_mostly_number(const RawColumn& column) {
    std::size_t n_present = 0;
    std::size_t n_numbers = 0;
    for (const auto& cell : column.cells) {
        n_present += cell.empty() ? 0 : 1;
        n_numbers += !cell.empty() && is_number(cell) ? 1 : 0;
    }
    return n_numbers > 0 && 20 * n_numbers >= 19 * n_present;
}

bool is_address(std::string_view cell) {
    return cell.starts_with("http://") || cell.starts_with("https://");
}

/// Few distinct, short values: a code rather than prose.
bool is_category(const RawColumn& column) {
    constexpr std::size_t most_distinct = 1000;
    constexpr std::size_t longest_mean = 40;
    std::unordered_set<std::string_view> distinct;
    std::size_t n_present = 0;
    std::size_t n_bytes = 0;
    for (const auto& cell : column.cells) {
        if (cell.empty()) {
            continue;
        }
        ++n_present;
        n_bytes += cell.size();
        distinct.insert(cell);
    }
    const bool is_few = distinct.size() <= std::max<std::size_t>(2, n_present / 2);
    return is_few && distinct.size() <= most_distinct && n_bytes <= longest_mean * n_present;
}

FieldKind kind_of(const RawColumn& column, std::string_view plain, char separator) {
    if (column.rule.kind) {
        return *column.rule.kind;
    }
    if (is_one_of(plain, title_names) || is_one_of(plain, text_names)) {
        return FieldKind::text;
    }
    if (is_one_of(plain, link_names) || all_present(column, is_address)) {
        return FieldKind::link;
    }
    if (is_one_of(plain, list_names)) {
        return separator == 0 ? FieldKind::category : FieldKind::categories;
    }
    if (is_one_of(plain, number_names) && is_mostly_number(column)) {
        return FieldKind::number;
    }
    const bool is_token = column.declared == "token" || column.declared == "token_seq";
    if (!is_token && all_present(column, is_number)) {
        return FieldKind::number;
    }
    if (separator != 0) {
        return FieldKind::categories;
    }
    return is_category(column) ? FieldKind::category : FieldKind::text;
}

void add_words(IdMap& words, Field& field, std::string_view cell, char separator) {
    const auto first = field.codes.size();
    while (true) {
        const auto end = separator == 0 ? cell.npos : cell.find(separator);
        const auto word = trim(cell.substr(0, end));
        if (!word.empty()) {
            const auto code = words.intern(word);
            const auto row = std::span{field.codes}.subspan(first);
            if (std::ranges::find(row, code) == row.end()) {
                field.codes.push_back(code);
            }
        }
        if (end == cell.npos) {
            return;
        }
        cell.remove_prefix(end + 1);
    }
}

}  // namespace

std::string field_name(std::string_view column) {
    const auto name = split_typed_name(column).name;
    const bool is_known = name == "name" || name == "movie_title";
    return std::string{is_one_of(plain_name(name), title_names) && !is_known ? "title" : name};
}

Field make_field(const RawColumn& column, std::size_t n_rows) {
    const auto plain = plain_name(column.name);
    const bool is_list = is_one_of(plain, list_names) || column.rule.kind == FieldKind::categories;
    const auto separator = separator_of(column, is_list);
    Field field;
    field.name = field_name(column.name);
    field.kind = kind_of(column, plain, separator);
    field.present.assign(n_rows, 0);
    const bool is_text = field.kind == FieldKind::text || field.kind == FieldKind::link;
    const bool is_code = field.kind == FieldKind::category || field.kind == FieldKind::categories;
    if (is_text) {
        field.texts.resize(n_rows);
    }
    if (is_code) {
        field.code_offsets.assign(1, 0);
    }
    if (field.kind == FieldKind::number) {
        field.numbers.resize(n_rows);
    }
    IdMap words;
    for (std::size_t row = 0; row < n_rows; ++row) {
        const std::string_view cell =
            row < column.cells.size() ? std::string_view{column.cells[row]} : "";
        field.present[row] = cell.empty() ? 0 : 1;
        if (is_text) {
            field.texts[row] = cell;
            std::ranges::replace(field.texts[row], list_separator, ' ');
        } else if (field.kind == FieldKind::number) {
            const auto number = cell.empty() ? std::nullopt : parse_number(cell);
            field.present[row] = number ? 1 : 0;
            field.numbers[row] = static_cast<float>(number.value_or(0));
        } else {
            const auto split = field.kind == FieldKind::categories ? separator : char{0};
            if (!cell.empty()) {
                add_words(words, field, cell, split);
            }
            field.code_offsets.push_back(static_cast<std::int64_t>(field.codes.size()));
        }
    }
    if (is_code) {
        field.vocabulary = words.names();
    }
    return field;
}

}  // namespace hg::data
