// SPDX-License-Identifier: Apache-2.0
// Explorer: another policy with an epsilon of uniform slates mixed in, so that its log can judge
// others. A slate is drawn whole, by the policy or uniformly; what is logged are the mixture's
// conditional factors.
//
//   Explorer logging{*agent, 0.1};
//   play(world, logging, ...);
#pragma once

#include "policy/agent.hpp"

namespace hg::policy {

class Explorer final : public Agent {
  public:
    /// `agent` outlives it; epsilon in [0, 1].
    Explorer(Agent& agent, double epsilon);

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
};

}  // namespace hg::policy
