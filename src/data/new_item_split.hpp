// SPDX-License-Identifier: Apache-2.0
// new_item_split: what a model knows of items nobody has met yet: old and new users by old and new
// items.
//
// New items take no part in training: no event on them is in `train`, and known_items() takes them
// out of the catalogue too. New users (a fold) have no event there either. Every user with enough
// old items is asked after the first `context` events on old items, twice:
// - about old items: the next `targets` liked ones behind the context; an old user's events on them
//   are taken out of training, later ones stay;
// - about new items: all that the user liked.
// What holds for all (property test): no target is in the training history of its user, no new item
// is in any training history or context, no new user is in training.
//
//   const auto split = value_or_throw(new_item_split(data.log, ages, {.folds = 5}));
#pragma once

#include "core/error.hpp"
#include "data/dataset.hpp"
#include "data/split.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::data {

enum class ItemAge : std::uint8_t {
    old,    // learned from
    fresh,  // asked about, never learned from
    gone,   // neither: what the test part asks, while the validation part is asked
};

struct NewItemCase {
    EvaluationCase asked;
    bool is_new_user = false;
    bool are_new_items = false;
};

struct NewItemSplit {
    InteractionLog train;  // ids of the whole dataset
    std::vector<NewItemCase> cases;
    InteractionLog old_log;  // events on old items, which contexts borrow from
};

struct NewItemOptions {
    std::size_t folds = 5;     // one of so many users is new
    std::size_t context = 10;  // events on old items that are known; users with fewer are not asked
    std::size_t targets = 10;  // of old items at most so many; 0 = all
    std::uint64_t seed = 1;
    Repeats repeats = Repeats::drop;  // of old items
};

/// ages: [log.n_items()]. Fails on fewer than two folds.
[[nodiscard]] Result<NewItemSplit> new_item_split(
    const InteractionLog& log, std::span<const ItemAge> ages, const NewItemOptions& options = {}
);

/// A dataset as it was before some items came.
struct KnownItems {
    Dataset data;               // known items, their fields, and the events of a log on them
    std::vector<ItemId> items;  // what each of its items is in the whole dataset
};

/// Users keep their ids. Events of `log` on items that are not known are left out.
[[nodiscard]] KnownItems known_items(
    const Dataset& dataset, const InteractionLog& log, std::span<const ItemAge> ages
);

}  // namespace hg::data
