// SPDX-License-Identifier: Apache-2.0
// reasons: why an item is in a slate, said only when it was checked.
//
// "because you liked X": X is in the history, and scoring the history without X lowers the item's
// score; of several such X the one whose absence costs most (leave-one-out over the last events).
// Where nothing passes, the reason is the plain "popular now" or "new for you".
#pragma once

#include "serve/item_table.hpp"
#include "serve/scoring.hpp"
#include "serve/snapshot.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hg::serve {

struct Reason {
    std::string text;
    std::optional<ItemRow> because{};  // verified
};

enum class Explain : std::uint8_t { no, yes };

/// One per shown row. With Explain::yes the model scores at most 21 histories.
[[nodiscard]] std::vector<Reason> reasons_for(
    const Snapshot& snapshot,
    const ItemTable& items,
    const UserView& user,
    std::span<const ItemRow> shown,
    Explain explain
);

}  // namespace hg::serve
