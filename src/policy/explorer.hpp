// SPDX-License-Identifier: Apache-2.0
// Explorer: another policy with an epsilon of uniform slates mixed in, so that its log can judge
// others. The propensity is that of the mixture: (1 - epsilon) p + epsilon / slates.
//
//   Explorer logging{*agent, facts, 0.1};
//   play(world, logging, ...);
#pragma once

#include "policy/agent.hpp"

namespace hg::policy {

class Explorer final : public Agent {
  public:
    /// `agent` outlives it; epsilon in [0, 1].
    Explorer(Agent& agent, const simulate::EnvironmentFacts& world, double epsilon);

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override;

    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override;

  private:
    Agent& agent_;
    double epsilon_;
    double uniform_ = 1;  // probability of a slate drawn uniformly
};

}  // namespace hg::policy
