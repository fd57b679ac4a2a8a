// SPDX-License-Identifier: Apache-2.0
// ItemMeans: how often each item was shown and what it earned: the state of bandits without
// context.
#pragma once

#include "policy/scored_agent.hpp"

#include <vector>

namespace hg::policy {

class ItemMeansAgent : public ScoredAgent {
  public:
    explicit ItemMeansAgent(const AgentContext& context)
        : ScoredAgent(context.world),
          shown_(context.world.n_items),
          earned_(context.world.n_items) {}

    /// A slate's reward is split evenly over its clicked items, or over all when none was clicked.
    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override;
    void save(SafetensorsWriter& weights, Save what) const override;
    void load(const SafetensorsFile& weights, Save what) override;

  protected:
    [[nodiscard]] double shown(std::size_t item) const { return shown_[item]; }

    [[nodiscard]] double earned(std::size_t item) const { return earned_[item]; }

    [[nodiscard]] double total_shown() const noexcept { return total_; }

    /// The mean reward; `untried` for an item never shown.
    [[nodiscard]] double mean(std::size_t item, double untried) const {
        return shown_[item] > 0 ? earned_[item] / shown_[item] : untried;
    }

    /// Called after the counts changed.
    virtual void refresh(Rng& /*rng*/) {}

  private:
    std::vector<double> shown_;
    std::vector<double> earned_;
    double total_ = 0;
};

}  // namespace hg::policy
