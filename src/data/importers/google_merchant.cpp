// SPDX-License-Identifier: Apache-2.0
// A product feed as Google Merchant Center takes it: tab-separated text, RSS 2.0 or Atom; attribute
// names with blanks or underscores, in XML with or without the prefix g:.
#include "data/convert_cell.hpp"
#include "data/importer.hpp"
#include "data/mapped_rows.hpp"

#include <array>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 5> needs{"id", "title", "link", "price", "availability"};
constexpr std::array<ColumnRule, 25> rules{{
    {.from = "id", .to = "item_id"},
    {.from = "title", .to = "title"},
    {.from = "description", .to = "description", .convert = &html_text, .note = "without tags"},
    {.from = "product_type",
     .to = "categories",
     .convert = &category_path,
     .note = "every level of the path"},
    {.from = "google_product_category",
     .to = "google_product_category",
     .convert = &category_path,
     .note = "every level of the path"},
    {.from = "sale_price", .to = "price", .convert = &price_of, .note = "the number"},
    {.from = "price", .to = "price", .convert = &price_of, .note = "the number"},
    {.from = "brand", .to = "brand"},
    {.from = "image_link", .to = "image"},
    {.from = "link", .to = "url"},
    {.from = "availability", .to = "availability"},
    {.from = "condition", .to = "condition"},
    {.from = "item_group_id", .to = "item_group_id"},
    {.from = "color", .to = "color"},
    {.from = "size", .to = "size"},
    {.from = "material", .to = "material"},
    {.from = "pattern", .to = "pattern"},
    {.from = "gender", .to = "gender"},
    {.from = "age_group", .to = "age_group"},
    {.from = "product_highlight", .to = "highlights"},
    {.from = "custom_label_0", .to = "custom_label_0"},
    {.from = "custom_label_1", .to = "custom_label_1"},
    {.from = "custom_label_2", .to = "custom_label_2"},
    {.from = "custom_label_3", .to = "custom_label_3"},
    {.from = "custom_label_4", .to = "custom_label_4"},
}};
constexpr std::array<TableRules, 1> tables{{{TableKind::items, rules}}};
constexpr std::array<LeftOutColumns, 4> left_out{{
    {"gtin", "a number of the trade, says nothing of the item"},
    {"mpn", "a number of the trade, says nothing of the item"},
    {"shipping", "about delivery"},
    {"tax", "about delivery"},
}};

Result<std::unique_ptr<RowReader>> open(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, rules, context);
}

}  // namespace

extern const ImporterEntry google_merchant{
    .name = "google_merchant",
    .summary = "Google Merchant Center: product feed (TSV, RSS or Atom)",
    .files = "feed.txt, feed.tsv, feed.xml",
    .needs = needs,
    .tables = tables,
    .left_out = left_out,
    .open = &open,
};

}  // namespace hg::data
