// SPDX-License-Identifier: Apache-2.0
// cold_start: a whisper of popularity that decides where a model has nothing to say.
//
// Added to every score of a personal model, it is too small to change an order the model has an
// opinion on, but it gives an empty history the popularity order and puts items without evidence in
// that order too, instead of in the order of their ids.
#pragma once

#include "data/interaction_log.hpp"

#include <vector>

namespace hg::train {

/// [n_items]: positive events of the item over those of the most popular one, times `scale`.
[[nodiscard]] std::vector<float> popularity_whisper(
    const data::InteractionLog& log, float scale = 1e-6F
);

}  // namespace hg::train
