// SPDX-License-Identifier: Apache-2.0
// rating_protocol: the rating task: how will somebody never trained on rate, after their first k
// ratings? Asked of items that training users rated (old) and of items nobody rated (new).
//
// Users are cut into folds; a trial's test users are one fold, and a share of its items is new: no
// rating of theirs is used by anybody, not as support either. A user's support is the first k
// ratings of old items in log order, the queries are all ratings after the largest k, so every k
// answers the same questions. Each trial has a seed of its own for items, fits and networks.
//
// Training users' tasks are cross-fitted: what is known of items there comes from other users only,
// with a share of the items unseen, because a test user meets item vectors that never saw them.
//
//   const auto trial = make_rating_trial(dataset, content.view(), options, 0);
#pragma once

#include "app/protocol.hpp"
#include "data/dataset.hpp"
#include "policy/meta/rating_items.hpp"
#include "policy/meta/task.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hg::app {

struct RatingProtocol {
    std::size_t folds = 5;
    Part part = Part::test;
    std::vector<std::size_t> contexts{1, 5, 10, 20};  // k, ascending
    double new_item_share = 0.2;
    std::size_t max_users = 0;  // ask only so many users of a fold; 0 = all
    std::uint64_t seed = 7;
    policy::RatingItemOptions items;
};

/// One user never trained on.
struct RatingUser {
    UserId user;
    policy::TaskEvents support;    // as many as the largest k, oldest first
    policy::TaskEvents old_items;  // never empty
    policy::TaskEvents new_items;  // may be empty
};

struct RatingTrial {
    std::vector<policy::TaskEvents> tasks;  // one per training user
    std::vector<RatingUser> users;
    std::size_t n_inputs = 0;
    float lowest = 0;  // of the training ratings: answers are cut to their range
    float highest = 0;
    std::size_t n_train_ratings = 0;
    std::size_t n_too_short = 0;  // users of the fold with too few ratings to be asked
    std::uint64_t seed = 0;
};

/// Trial `fold` of 0 .. folds - 1. `content`: [n_items, c], c = 0 for none. Throws Error where the
/// data have no ratings, or too few users.
[[nodiscard]] RatingTrial make_rating_trial(
    const data::Dataset& dataset,
    MatrixView<const float> content,
    const RatingProtocol& protocol,
    std::size_t fold
);

}  // namespace hg::app
