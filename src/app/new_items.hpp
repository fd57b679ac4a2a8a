// SPDX-License-Identifier: Apache-2.0
// new_items: the protocol of items nobody has met: which items of a dataset are new, and who is
// asked about them.
//
// An item is as old as a number says: its year, its first event, or (where there is neither) a
// random one. The latest are new: all from `since` on, or as many of the last values as hold `share`
// of the items with events. Of the validation part, the new ones are the latest of the others, and
// those of the test part are in neither its training nor its questions.
#pragma once

#include "app/protocol.hpp"

#include <array>
#include <string>
#include <vector>

namespace hg::app {

/// Groups of questions, in the order of Query::group: first what the protocol is named for.
inline constexpr std::array<const char*, 4> new_item_groups{
    "new users, new items", "old users, new items", "new users, old items", "old users, old items"
};

struct NewItems {
    std::vector<data::ItemAge> ages;  // [n_items]
    std::string what;                 // "439 items of year 1999 or later"
};

/// Throws Error where the field is not there, or all or none would be new.
[[nodiscard]] NewItems find_new_items(const data::Dataset& dataset, const ProtocolOptions& options);

[[nodiscard]] Trial new_items_trial(
    const data::Dataset& dataset,
    NewItems new_items,
    const ProtocolOptions& options,
    data::Repeats repeats
);

}  // namespace hg::app
