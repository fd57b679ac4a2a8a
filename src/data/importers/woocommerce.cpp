// SPDX-License-Identifier: Apache-2.0
// WooCommerce: the products of its own CSV exporter, and orders with a row per line item as the
// extensions write them (Customer / Order / Coupon Export, Import Export Suite). The item is the
// product (its ID), not the variation.
#include "data/cell.hpp"
#include "data/convert_cell.hpp"
#include "data/importer.hpp"
#include "data/mapped_rows.hpp"
#include "data/order_lines.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace hg::data {
namespace {

constexpr std::array<std::string_view, 3> order_needs{"order_id", "status", "item_name"};
constexpr std::array<ColumnRule, 12> order_rules{{
    {.from = "order_id", .to = "order", .note = "joins the lines of an order"},
    {.from = "billing_email", .to = "user_id"},
    {.from = "customer_email", .to = "user_id", .note = "where there is no billing_email"},
    {.from = "customer_id", .to = "user_id", .note = "where there is no address"},
    {.from = "order_date", .to = "timestamp"},
    {.from = "date", .to = "timestamp"},
    {.from = "status", .to = "event", .note = "refunded: return; else purchase"},
    {.from = "cancelled_date", .to = "cancelled"},
    {.from = "item_product_id", .to = "product", .note = "item_id: the product"},
    {.from = "item_sku", .to = "sku", .note = "item_id where there is no product id"},
    {.from = "item_name", .to = "title", .note = "item_id where there is neither; the title"},
    {.from = "item_refunded_qty", .to = "quantity_returned", .note = "not 0: return"},
}};
constexpr std::array<ColumnRule, 2> order_item_rules{{
    {.from = "item_product_id", .to = "item_id", .note = "where the products export lacks it"},
    {.from = "item_name", .to = "title"},
}};
constexpr std::array<TableRules, 2> order_tables{{
    {TableKind::interactions, order_rules},
    {TableKind::items, order_item_rules},
}};
constexpr std::array<LeftOutColumns, 6> order_left_out{{
    {"billing_", "names and addresses of people"},
    {"shipping_", "names and addresses of people"},
    {"customer_", "names and addresses of people"},
    {"item_id", "the number of the order line, not of the product"},
    {"item_quantity", "a line counts once"},
    {"order_notes", "names and addresses of people"},
}};

constexpr std::array<std::string_view, 5> product_needs{
    "ID", "Type", "SKU", "Name", "Regular price"
};
constexpr std::array<ColumnRule, 12> product_rules{{
    {.from = "ID", .to = "item_id"},
    {.from = "Name", .to = "title"},
    {.from = "Type", .to = "product_kind"},
    {.from = "Description", .to = "description", .convert = &html_text, .note = "without tags"},
    {.from = "Short description", .to = "summary", .convert = &html_text, .note = "without tags"},
    {.from = "Categories",
     .to = "categories",
     .convert = &category_path,
     .note = "every level of the paths"},
    {.from = "Tags", .to = "tags", .convert = &comma_list, .note = "a list"},
    {.from = "Brands", .to = "brand"},
    {.from = "Sale price", .to = "price", .convert = &price_of, .note = "where there is one"},
    {.from = "Regular price", .to = "price", .convert = &price_of, .note = "the number"},
    {.from = "Images", .to = "image", .convert = &first_of_list, .note = "the first"},
    {.from = "Published", .to = "published"},
}};
constexpr std::array<TableRules, 1> product_tables{{{TableKind::items, product_rules}}};
constexpr std::array<LeftOutColumns, 4> product_left_out{{
    {"SKU", "finds the product of an order line"},
    {"Parent", "finds the product of a variation"},
    {"Meta:", "of plug-ins"},
    {"Stock", "changes by the hour"},
}};

OrderState state_of(std::string_view status) {
    if (status.starts_with("wc-")) {
        status.remove_prefix(3);
    }
    if (status == "refunded") {
        return OrderState::returned;
    }
    const bool is_unpaid = status == "cancelled" || status == "failed" || status == "pending" ||
                           status == "checkout-draft" || status == "trash";
    return is_unpaid ? OrderState::cancelled : OrderState::bought;
}

bool is_variation(std::string_view type) {
    return type.find("variation") != type.npos;
}

Result<std::unique_ptr<RowReader>> open_orders(
    const std::filesystem::path& path, TableKind kind, ImportContext& context
) {
    HG_TRY(auto lines, open_mapped(path, order_rules, context));
    return std::make_unique<OrderLines>(std::move(lines), kind, &state_of, context);
}

Result<std::unique_ptr<RowReader>> open_products(
    const std::filesystem::path& path, TableKind /*kind*/, ImportContext& context
) {
    return open_mapped(path, product_rules, context, [](const Row& row) -> std::string_view {
        return is_variation(row.cells[2]) ? "variation of a product" : "";
    });
}

/// A variation's Parent is the SKU of a product or "id:12"; products may stand behind it.
Result<void> learn_products(const std::filesystem::path& path, ImportContext& context) {
    static constexpr std::array<ColumnRule, 5> names{{
        {.from = "ID", .to = "id"},
        {.from = "Type", .to = "type"},
        {.from = "SKU", .to = "sku"},
        {.from = "Name", .to = "name"},
        {.from = "Parent", .to = "parent"},
    }};
    HG_TRY(const auto rows, open_mapped(path, names, context));

    struct Variation {
        std::string id;
        std::string sku;
        std::string parent;
    };

    std::vector<Variation> variations;
    for (Row row; rows->next(row);) {
        const auto& cells = row.cells;
        if (!row.problem.empty() || cells[0].empty()) {
            continue;
        }
        if (is_variation(cells[1])) {
            variations.push_back(
                {std::string{cells[0]}, std::string{cells[2]}, std::string{trim(cells[4])}}
            );
            continue;
        }
        context.add_alias("sku", cells[2], cells[0]);
        context.add_alias("title", cells[3], cells[0]);
    }
    for (const auto& [id, sku, parent] : variations) {
        const bool is_id = parent.starts_with("id:");
        const auto product =
            is_id ? parent.substr(3) : std::string{context.find_item("sku", parent).value_or("")};
        if (!product.empty()) {
            context.add_alias("id", id, product);
            context.add_alias("sku", sku, product);
        }
    }
    return {};
}

}  // namespace

extern const ImporterEntry woocommerce_orders{
    .name = "woocommerce_orders",
    .summary = "WooCommerce: orders, a row per line item (CSV)",
    .files = "orders-export.csv",
    .needs = order_needs,
    .tables = order_tables,
    .left_out = order_left_out,
    .open = &open_orders,
};

extern const ImporterEntry woocommerce_products{
    .name = "woocommerce_products",
    .summary = "WooCommerce: products export (CSV)",
    .files = "wc-product-export.csv",
    .needs = product_needs,
    .tables = product_tables,
    .left_out = product_left_out,
    .open = &open_products,
    .learn = &learn_products,
};

}  // namespace hg::data
