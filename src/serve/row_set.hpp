// SPDX-License-Identifier: Apache-2.0
// RowSet: a set of item rows in one allocation of four bytes a row, for what is kept of very many
// users.
//
// A sorted part and a short tail of the newest: insertion does not move the whole set each time.
//
//   RowSet seen;
//   seen.insert(row);
//   if (seen.contains(row)) ...
#pragma once

#include "serve/item_table.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hg::serve {

class RowSet {
  public:
    /// O(1) but for one in sixty-four, which sorts.
    void insert(ItemRow row) {
        if (contains(row)) {
            return;
        }
        rows_.push_back(row);
        constexpr std::size_t longest_tail = 64;
        if (rows_.size() - n_sorted_ >= longest_tail) {
            const auto middle = rows_.begin() + static_cast<std::ptrdiff_t>(n_sorted_);
            std::sort(middle, rows_.end());
            std::inplace_merge(rows_.begin(), middle, rows_.end());
            n_sorted_ = rows_.size();
        }
    }

    /// O(log n).
    [[nodiscard]] bool contains(ItemRow row) const {
        const auto middle = rows_.begin() + static_cast<std::ptrdiff_t>(n_sorted_);
        return std::binary_search(rows_.begin(), middle, row) ||
               std::find(middle, rows_.end(), row) != rows_.end();
    }

    void clear() {
        rows_.clear();
        n_sorted_ = 0;
    }

    [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

  private:
    std::vector<ItemRow> rows_;
    std::size_t n_sorted_ = 0;
};

}  // namespace hg::serve
