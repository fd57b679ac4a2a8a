// SPDX-License-Identifier: Apache-2.0
// RewardModel: r(s, a, s'): what a step was worth. One of the four models.
//
// Fixed formulas on histories live here; the same formulas on one step of a world are
// step_reward.hpp, learned rewards learned/learned_reward.hpp. Const-safe.
//
//   const double r = EventWeightReward{}.reward(before, slate, after);
//   const FormulaReward worth{settings.read<RewardOptions>(), {.item_vectors = vectors}};
#pragma once

#include "core/ids.hpp"
#include "core/matrix.hpp"
#include "data/history.hpp"
#include "simulate/step_reward.hpp"

#include <cstdint>
#include <functional>
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

/// What a history does not say. Views are borrowed for the life of the reward; empty = unknown, its
/// terms are 0.
struct RewardContext {
    MatrixView<const float> item_vectors{};        // by ItemId
    std::span<const float> self_information{};     // bits, by ItemId
    std::span<const std::uint8_t> is_protected{};  // by ItemId
    std::span<const std::uint8_t> is_purchase{};   // by EventTypeId
    /// p(s): how much this user likes these items.
    std::function<double(const data::History&, std::span<const ItemId>)> preference{};
};

/// RewardOptions on histories: events are weighted by dataset.toml, liked ones count for log_value,
/// and a user who answered at all is one who stays.
class FormulaReward final : public RewardModel {
  public:
    FormulaReward(const RewardOptions& options, RewardContext context);

    [[nodiscard]] double reward(
        const data::History& state, std::span<const ItemId> action, const data::History& next
    ) const override;

  private:
    double event_weight_;
    StepReward step_;
    RewardContext context_;
};

}  // namespace hg::simulate
