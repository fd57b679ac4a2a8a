// SPDX-License-Identifier: Apache-2.0
// Shopify's CSV exports: orders (a row per line item), products (a row per variant and image) and
// customers. The item is the product (its handle), not the variant.
#include "data/convert_cell.hpp"
#include "data/importer.hpp"
#include "data/mapped_rows.hpp"
#include "data/order_lines.hpp"

#include <array>
#include <string>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 4> order_needs{
    "Name", "Email", "Lineitem name", "Created at"
};
constexpr std::array<ColumnRule, 9> order_rules{{
    {.from = "Name", .to = "order", .note = "joins the lines of an order"},
    {.from = "Email", .to = "user_id"},
    {.from = "Created at", .to = "timestamp"},
    {.from = "Financial Status", .to = "event", .note = "refunded: return; else purchase"},
    {.from = "Cancelled at", .to = "cancelled", .note = "such orders are left out"},
    {.from = {}, .to = "product"},
    {.from = "Lineitem sku", .to = "sku", .note = "item_id: the product of this SKU, else the SKU"},
    {.from = "Lineitem name", .to = "title", .note = "item_id where there is no SKU; the title"},
    {.from = {}, .to = "quantity_returned"},
}};
constexpr std::array<ColumnRule, 2> order_item_rules{{
    {.from = "Lineitem sku", .to = "item_id", .note = "where the products export lacks it"},
    {.from = "Lineitem name", .to = "title", .note = "item_id where there is no SKU"},
}};
constexpr std::array<TableRules, 2> order_tables{{
    {TableKind::interactions, order_rules},
    {TableKind::items, order_item_rules},
}};
constexpr std::array<LeftOutColumns, 6> order_left_out{{
    {"Billing", "names and addresses of people"},
    {"Shipping", "names and addresses of people"},
    {"Phone", "names and addresses of people"},
    {"Note", "names and addresses of people"},
    {"Payment", "about payment"},
    {"Lineitem quantity", "a line counts once"},
}};

constexpr std::array<std::string_view, 3> product_needs{"Handle", "Title", "Variant Price"};
constexpr std::array<std::string_view, 4> new_product_needs{
    "URL handle", "Title", "Price", "Product image URL"
};
constexpr std::array<ColumnRule, 14> product_rules{{
    {.from = "Handle", .to = "item_id"},
    {.from = "URL handle", .to = "item_id"},
    {.from = "Title", .to = "title"},
    {.from = "Body (HTML)", .to = "description", .convert = &html_text, .note = "without tags"},
    {.from = "Description", .to = "description", .convert = &html_text, .note = "without tags"},
    {.from = "Vendor", .to = "brand"},
    {.from = "Product Category",
     .to = "categories",
     .convert = &category_path,
     .note = "every level of the path"},
    {.from = "Type", .to = "type"},
    {.from = "Tags", .to = "tags", .convert = &comma_list, .note = "a list"},
    {.from = "Variant Price", .to = "price", .convert = &price_of, .note = "of the first variant"},
    {.from = "Price", .to = "price", .convert = &price_of, .note = "of the first variant"},
    {.from = "Image Src", .to = "image", .note = "the first"},
    {.from = "Product image URL", .to = "image", .note = "the first"},
    {.from = "Status", .to = "status"},
}};
constexpr std::array<TableRules, 1> product_tables{{{TableKind::items, product_rules}}};
constexpr std::array<LeftOutColumns, 5> product_left_out{{
    {"Variant SKU", "finds the product of an order line"},
    {"SKU", "finds the product of an order line"},
    {"Variant", "of variants, the item is the product"},
    {"Option", "of variants, the item is the product"},
    {"Google Shopping", "for advertising"},
}};

constexpr std::array<std::string_view, 4> customer_needs{
    "First Name", "Last Name", "Email", "Total Spent"
};
constexpr std::array<ColumnRule, 7> customer_rules{{
    {.from = "Email", .to = "user_id"},
    {.from = "Default Address Province Code", .to = "province"},
    {.from = "Province Code", .to = "province"},
    {.from = "Default Address Country Code", .to = "country"},
    {.from = "Country Code", .to = "country"},
    {.from = "Tags", .to = "tags", .convert = &comma_list, .note = "a list"},
    {.from = "Accepts Email Marketing", .to = "accepts_marketing"},
}};
constexpr std::array<TableRules, 1> customer_tables{{{TableKind::users, customer_rules}}};
constexpr std::array<LeftOutColumns, 8> customer_left_out{{
    {"First Name", "names and addresses of people"},
    {"Last Name", "names and addresses of people"},
    {"Phone", "names and addresses of people"},
    {"Default Address", "names and addresses of people"},
    {"Address", "names and addresses of people"},
    {"Note", "names and addresses of people"},
    {"Total Spent", "counted from the orders, it would tell the future"},
    {"Total Orders", "counted from the orders, it would tell the future"},
}};

OrderState state_of(std::string_view financial_status) {
    if (financial_status == "refunded") {
        return OrderState::returned;
    }
    const bool is_void = financial_status == "voided" || financial_status == "expired";
    return is_void ? OrderState::cancelled : OrderState::bought;
}

Result<std::unique_ptr<RowReader>> open_orders(
    const std::filesystem::path& path, TableKind kind, ImportContext& context
) {
    HG_TRY(auto lines, open_mapped(path, order_rules, context));
    return std::make_unique<OrderLines>(std::move(lines), kind, &state_of, context);
}

/// Title and description stand in the first row of a handle; the others are variants and images.
Result<std::unique_ptr<RowReader>> open_products(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(
        path,
        product_rules,
        context,
        [last = std::string{}](const Row& row) mutable -> std::string_view {
            if (!row.cells[0].empty() && row.cells[0] == last) {
                return "further variant or image of a product";
            }
            last = row.cells[0];
            return {};
        }
    );
}

Result<void> learn_products(const std::filesystem::path& path, ImportContext& context) {
    static constexpr std::array<ColumnRule, 5> names{{
        {.from = "Handle", .to = "handle"},
        {.from = "URL handle", .to = "handle"},
        {.from = "Variant SKU", .to = "sku"},
        {.from = "SKU", .to = "sku"},
        {.from = "Title", .to = "title"},
    }};
    HG_TRY(const auto rows, open_mapped(path, names, context));
    for (Row row; rows->next(row);) {
        if (row.problem.empty() && !row.cells[0].empty()) {
            context.add_alias("sku", row.cells[1], row.cells[0]);
            context.add_alias("title", row.cells[2], row.cells[0]);
        }
    }
    return {};
}

Result<std::unique_ptr<RowReader>> open_customers(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, customer_rules, context, [](const Row& row) -> std::string_view {
        return row.cells[0].empty() ? "customer without an e-mail address" : "";
    });
}

}  // namespace

extern const ImporterEntry shopify_orders{
    .name = "shopify_orders",
    .summary = "Shopify: orders export (CSV)",
    .files = "orders_export.csv",
    .needs = order_needs,
    .tables = order_tables,
    .left_out = order_left_out,
    .open = &open_orders,
};

extern const ImporterEntry shopify_products{
    .name = "shopify_products",
    .summary = "Shopify: products export (CSV)",
    .files = "products_export.csv",
    .needs = product_needs,
    .tables = product_tables,
    .left_out = product_left_out,
    .open = &open_products,
    .learn = &learn_products,
};

extern const ImporterEntry shopify_products_by_url_handle{
    .name = "shopify_products_by_url_handle",
    .summary = "Shopify: products export with the newer column names (CSV)",
    .files = "products_export.csv",
    .needs = new_product_needs,
    .tables = product_tables,
    .left_out = product_left_out,
    .open = &open_products,
    .learn = &learn_products,
};

extern const ImporterEntry shopify_customers{
    .name = "shopify_customers",
    .summary = "Shopify: customers export (CSV)",
    .files = "customers_export.csv",
    .needs = customer_needs,
    .tables = customer_tables,
    .left_out = customer_left_out,
    .open = &open_customers,
};

}  // namespace hg::data
