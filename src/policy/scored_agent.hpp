// SPDX-License-Identifier: Apache-2.0
// ScoredAgent: an agent that is a row of scores and a slate rule; what most agents derive from.
#pragma once

#include "policy/agent.hpp"
#include "policy/slate_rule.hpp"

namespace hg::policy {

class ScoredAgent : public Agent {
  public:
    explicit ScoredAgent(const simulate::EnvironmentFacts& world) : world_(world) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override;
    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override;

  protected:
    /// out: [B, n_candidates].
    virtual void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) = 0;
    [[nodiscard]] virtual SlateRule rule(Mode mode) const = 0;

    [[nodiscard]] const simulate::EnvironmentFacts& world() const noexcept { return world_; }

  private:
    MatrixView<const float> scores(const ObservationBatch& seen, Mode mode);

    simulate::EnvironmentFacts world_;
    SlateDrawer drawer_{{}};
    Matrix<float> scores_;
};

/// From start to end over the first `share` of the step budget, then constant.
struct Schedule {
    double start = 1;
    double end = 0;
    double share = 1;

    [[nodiscard]] double at(double progress) const noexcept {
        const double t = share > 0 ? progress / share : 1;
        return t >= 1 ? end : start + (end - start) * t;
    }
};

}  // namespace hg::policy
