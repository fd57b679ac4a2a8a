// SPDX-License-Identifier: Apache-2.0
// RewardModel: r(s, a, s'): what a step was worth. One of the four models.
//
// Fixed formulas (event weights, log(1 + y)) live here; learned ones come with the learned worlds.
// Const-safe.
//
//   const double r = EventWeightReward{}.reward(before, slate, after);
#pragma once

#include "core/ids.hpp"
#include "data/history.hpp"

#include <span>

namespace hg::simulate {

class RewardModel {
  public:
    RewardModel() = default;
    RewardModel(const RewardModel&) = delete;
    RewardModel& operator=(const RewardModel&) = delete;
    RewardModel(RewardModel&&) = delete;
    RewardModel& operator=(RewardModel&&) = delete;
    virtual ~RewardModel() = default;

    /// `next` is `state` plus the user's responses to `action`: reward looks at the events added.
    [[nodiscard]] virtual double reward(
        const data::History& state, std::span<const ItemId> action, const data::History& next
    ) const = 0;
};

/// The sum of the weights of the events that followed: what dataset.toml says an event is worth.
class EventWeightReward final : public RewardModel {
  public:
    [[nodiscard]] double reward(
        const data::History& state, std::span<const ItemId> action, const data::History& next
    ) const override;
};

}  // namespace hg::simulate
