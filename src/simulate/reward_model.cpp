// SPDX-License-Identifier: Apache-2.0
#include "simulate/reward_model.hpp"

#include "core/error.hpp"

namespace hg::simulate {

double EventWeightReward::reward(
    const data::History& state, std::span<const ItemId> /*action*/, const data::History& next
) const {
    HG_CHECK(next.size() >= state.size(), "the next state continues the state");
    double total = 0;
    for (std::size_t i = state.size(); i < next.size(); ++i) {
        total += next.weight(i);
    }
    return total;
}

}  // namespace hg::simulate
