// SPDX-License-Identifier: Apache-2.0
// OrderLines: the line items of a shop's orders as purchases and returns, or as the items they name.
//
// A shop repeats an order's number on each of its lines, but its customer, date and state often only
// on the first: they are carried on. A line is the product that its id, SKU or title means in the
// learned catalogue; without one, its SKU, else its title, is the item.
#pragma once

#include "data/mapped_rows.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace hg::data {

enum class OrderState : std::uint8_t { bought, returned, cancelled };

/// What the orders importers call their columns, in this order (`to` of their rules).
namespace order_column {
enum : std::size_t { order, user, time, state, cancelled, product, sku, title, quantity_returned };
}

class OrderLines final : public RowReader {
  public:
    /// `kind` is interactions or items. `lines` has the columns of order_column.
    OrderLines(
        std::unique_ptr<RowReader> lines,
        TableKind kind,
        OrderState (*state_of)(std::string_view),
        ImportContext& context
    );

    bool next(Row& row) override;

    [[nodiscard]] std::size_t estimated_rows() const override { return lines_->estimated_rows(); }

  private:
    void carry_on();
    [[nodiscard]] std::string_view event_of_line() const;
    [[nodiscard]] std::string_view item_of_line();
    /// Why the line is no purchase; empty if it is one.
    [[nodiscard]] std::string_view reason_to_leave_out() const;
    bool next_event(Row& row);
    bool next_item(Row& row);

    std::unique_ptr<RowReader> lines_;
    TableKind kind_;
    OrderState (*state_of_)(std::string_view);
    ImportContext& context_;
    Row line_;
    std::string order_;
    std::string user_;
    std::string time_;
    std::string state_;
    std::string cancelled_;
    std::string item_;
};

}  // namespace hg::data
