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
#include "train/training_options.hpp"

namespace hg::train {

/// Bytes of what a step says of every item: logits, their logarithms of shares, and the gradients of both.
[[nodiscard]] constexpr double answer_bytes(
    const TrainingOptions& training, std::size_t n_items
) noexcept {
    constexpr double copies = 4;
    return copies * sizeof(float) * static_cast<double>(training.batch_size) *
           static_cast<double>(n_items);
}

/// Trains a new net in place and notes the result in the run. Throws Error where nobody has a positive event.
void fit_bag_net(
    BagNet& net, const EpisodeOptions& options, const TrainOptions& how, const FitContext& context
);

}  // namespace hg::train
