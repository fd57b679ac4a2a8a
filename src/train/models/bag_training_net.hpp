// SPDX-License-Identifier: Apache-2.0
// bag_training: episodes of a few clicks: from k events of a user, k ~ U{0..10}, to a softmax over the
// user's other items. One set of weights serves every k, k = 0 being learned popularity. Private to
// the models of this room.
//
// The loss is the mean over users of -mean over targets of log p(target | context).
#pragma once

#include "train/model_entry.hpp"
#include "train/models/bag_net.hpp"
#include "train/models/episode_options.hpp"
#include "train/trainer.hpp"

namespace hg::train {

/// Trains a new net in place and notes the result in the run. Throws Error where nobody has a positive event.
void fit_bag_net(
    BagNet& net, const EpisodeOptions& options, const TrainOptions& how, const FitContext& context
);

}  // namespace hg::train
