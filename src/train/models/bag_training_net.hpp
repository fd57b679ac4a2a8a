// SPDX-License-Identifier: Apache-2.0
// bag_training: episodes of a few clicks: from k events of a user, k ~ U{0..10}, to a softmax over the
// user's other items. One set of weights serves every k, k = 0 being learned popularity. Private to
// the models of this room.
//
// The loss is the mean over users of -mean over targets of log p(target | context).
#pragma once

#include "data/history.hpp"
#include "train/holdout.hpp"
#include "train/model_entry.hpp"
#include "train/models/bag_net.hpp"
#include "train/models/episode_options.hpp"
#include "train/trainer.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace hg::train {

/// The distinct positive items of a history, oldest first.
[[nodiscard]] std::vector<ItemId> positives(const data::History& history);

/// Who is learned from, and the few-shot questions of those held out.
struct BagUsers {
    std::vector<std::vector<ItemId>> learned;
    std::vector<Query> queries;

    /// log of the share of users who took the item, smoothed by half a user: [n_items].
    [[nodiscard]] at::Tensor log_popularity(std::size_t n_items) const;
};

/// Throws Error where nobody has a positive event.
[[nodiscard]] BagUsers bag_users(
    const FitContext& context, const EpisodeOptions& options, std::string_view label
);

/// Trains in place and notes the result in the run.
void train_on_bags(
    BagNet& net,
    BagUsers users,
    const EpisodeOptions& options,
    const TrainOptions& how,
    const FitContext& context
);

}  // namespace hg::train
