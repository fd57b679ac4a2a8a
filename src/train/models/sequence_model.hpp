// SPDX-License-Identifier: Apache-2.0
// sequence_model: a model that reads a user's last items in their order. Private to this room.
#pragma once

#include "train/model_entry.hpp"
#include "train/models/sequence_options.hpp"

#include <memory>
#include <string_view>

namespace hg::train {

/// Trains by early stopping on each user's last event; `label` names the model in messages and in
/// the checkpoint. Throws Error where no user has a positive event.
[[nodiscard]] std::unique_ptr<Recommender> fit_sequence_model(
    std::string_view label,
    BlockKind block,
    const FitContext& context,
    const SequenceOptions& options
);

[[nodiscard]] std::unique_ptr<Recommender> load_sequence_model(
    std::string_view label,
    BlockKind block,
    const SafetensorsFile& weights,
    const SequenceOptions& options
);

}  // namespace hg::train
