// SPDX-License-Identifier: Apache-2.0
#include "data/order_lines.hpp"

#include "data/cell.hpp"

#include <utility>

namespace hg::data {
namespace {

/// "Linen shirt - Blue / M" -> "Linen shirt": what a shop adds to the title for a variant.
std::string_view without_variant(std::string_view title) {
    const auto dash = title.rfind(" - ");
    return dash == title.npos ? title : trim(title.substr(0, dash));
}

void carry(std::string& kept, std::string_view cell, bool is_new_order) {
    if (is_new_order || !cell.empty()) {
        kept = cell;
    }
}

}  // namespace

OrderLines::OrderLines(
    std::unique_ptr<RowReader> lines,
    TableKind kind,
    OrderState (*state_of)(std::string_view),
    ImportContext& context
)
    : lines_(std::move(lines)), kind_(kind), state_of_(state_of), context_(context) {
    if (kind_ == TableKind::items) {
        columns_ = {"item_id", "title"};
    } else {
        columns_ = {"user_id", "item_id", "event", "timestamp"};
    }
}

bool OrderLines::next(Row& row) {
    while (lines_->next(line_)) {
        row.line = line_.line;
        row.text = line_.text;
        row.problem = line_.problem;
        row.advice = line_.advice;
        row.cells.assign(columns_.size(), {});
        const bool is_for_items = kind_ == TableKind::items;
        if (!row.problem.empty()) {
            if (is_for_items) {
                continue;  // counted when the events are read
            }
            return true;
        }
        carry_on();
        if (is_for_items ? next_item(row) : next_event(row)) {
            return true;
        }
    }
    return false;
}

void OrderLines::carry_on() {
    const auto order = line_.cells[order_column::order];
    const bool is_new = order.empty() || order != order_;
    if (is_new) {
        order_ = order;
    }
    carry(user_, trim(line_.cells[order_column::user]), is_new);
    carry(time_, line_.cells[order_column::time], is_new);
    carry(state_, line_.cells[order_column::state], is_new);
    carry(cancelled_, line_.cells[order_column::cancelled], is_new);
}

std::string_view OrderLines::reason_to_leave_out() const {
    if (!cancelled_.empty() || state_of_(state_) == OrderState::cancelled) {
        return "order was cancelled or never paid";
    }
    if (user_.empty() || user_ == "0") {  // 0 is WooCommerce's guest
        return "order names no customer";
    }
    const bool names_nothing = line_.cells[order_column::product].empty() &&
                               line_.cells[order_column::sku].empty() &&
                               line_.cells[order_column::title].empty();
    return names_nothing ? "order line names no product" : "";
}

std::string_view OrderLines::event_of_line() const {
    const auto returned = parse_number(line_.cells[order_column::quantity_returned]);
    const bool is_returned = returned && *returned != 0;
    return is_returned || state_of_(state_) == OrderState::returned ? "return" : "purchase";
}

std::string_view OrderLines::item_of_line() {
    const auto product = line_.cells[order_column::product];
    const auto sku = trim(line_.cells[order_column::sku]);
    const auto title = trim(line_.cells[order_column::title]);
    if (!product.empty() && product != "0") {
        return context_.find_item("id", product).value_or(product);
    }
    for (const auto& [kind, alias] :
         {std::pair{"sku", sku},
          std::pair{"title", title},
          std::pair{"title", without_variant(title)}}) {
        if (const auto found = context_.find_item(kind, alias)) {
            return *found;
        }
    }
    return sku.empty() ? title : sku;
}

bool OrderLines::next_event(Row& row) {
    if (const auto reason = reason_to_leave_out(); !reason.empty()) {
        context_.leave_out(reason);
        return false;
    }
    item_ = item_of_line();
    row.cells = {user_, item_, event_of_line(), time_};
    return true;
}

bool OrderLines::next_item(Row& row) {
    const auto title = trim(line_.cells[order_column::title]);
    if (!reason_to_leave_out().empty() || title.empty()) {
        return false;
    }
    item_ = item_of_line();
    if (context_.has_item(item_)) {
        return false;  // the catalogue knows it better
    }
    row.cells = {item_, title};
    return true;
}

}  // namespace hg::data
