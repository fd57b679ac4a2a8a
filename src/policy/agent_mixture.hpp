// SPDX-License-Identifier: Apache-2.0
// AgentMixture: at every step one of several policies shows the whole slate, drawn by its share. What
// sessions look like that are partly a teacher's, partly a learner's, partly chance.
//
//   P(slate) = sum_m share_m P_m(slate),   P(slot | slots above) = P(slots so far) / P(slots above)
//
// Single-threaded.
//
//   AgentMixture mixture{{{&teacher, Mode::exploit, 0.7}, {&random, Mode::explore, 0.3}}};
#pragma once

#include "policy/agent.hpp"

#include <vector>

namespace hg::policy {

class AgentMixture final : public Agent {
  public:
    struct Part {
        Agent* agent;  // borrowed, outlives the mixture
        Mode mode;
        double share;  // the shares add up to 1
    };

    explicit AgentMixture(std::vector<Part> parts) : parts_(std::move(parts)) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override;
    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override;

  private:
    std::vector<Part> parts_;
};

}  // namespace hg::policy
