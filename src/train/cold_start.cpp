// SPDX-License-Identifier: Apache-2.0
#include "train/cold_start.hpp"

#include <algorithm>

namespace hg::train {

std::vector<float> popularity_whisper(const data::InteractionLog& log, float scale) {
    std::vector<float> shares(log.n_items(), 0.0F);
    const auto& columns = log.columns();
    for (std::size_t i = 0; i < log.size(); ++i) {
        if (columns.weights[i] > 0) {
            shares[columns.items[i].index()] += 1.0F;
        }
    }
    const auto most = shares.empty() ? 0.0F : std::ranges::max(shares);
    if (most > 0) {
        for (auto& share : shares) {
            share *= scale / most;
        }
    }
    return shares;
}

}  // namespace hg::train
