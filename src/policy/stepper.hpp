// SPDX-License-Identifier: Apache-2.0
// Stepper: one step of an agent in a batch of users: choose, show, remember what was seen before
// and after. The loop of learning, playing and logging is made of these. Single-threaded.
//
//   Stepper stepper{*batch, session_tokens};
//   stepper.reset(seed);
//   const TransitionBatch step = stepper.take(agent, Mode::explore, rng);
#pragma once

#include "policy/agent.hpp"
#include "policy/session_tokens.hpp"
#include "simulate/environment_batch.hpp"

#include <cstdint>
#include <vector>

namespace hg::policy {

class Stepper {
  public:
    /// `world` outlives the stepper.
    Stepper(simulate::EnvironmentBatch& world, std::size_t session_tokens);

    void reset(std::uint64_t seed);

    /// Borrowed until the next take() or reset().
    TransitionBatch take(Agent& agent, Mode mode, Rng& rng);

    [[nodiscard]] const DecisionBatch& decisions() const noexcept { return decisions_; }

  private:
    void remember();

    simulate::EnvironmentBatch& world_;
    SessionTokens tokens_;
    DecisionBatch decisions_;
    Matrix<float> users_;
    Matrix<float> items_;
    Matrix<std::uint32_t> item_ids_;
    std::vector<std::uint32_t> states_;
    Matrix<float> sessions_;
    ObservationBatch before_;
    ObservationBatch after_;
};

}  // namespace hg::policy
