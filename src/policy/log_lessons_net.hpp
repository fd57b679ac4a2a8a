// SPDX-License-Identifier: Apache-2.0
// LogLessons: a network learns from an impression log what becomes of an item that is shown in this
// session: a causal transformer is pretrained so on what users did, before it plays. Private to this
// room.
//
//   L = mean over shown items of -log P(answer),  P(click | session, item) = sigma(score)
//
// The session before a decision is put together from the earlier decisions of the same user, with what
// was shown and passed by. Conditional on what was shown, so whatever policy logged, the log odds of a
// click are what is learned, and the best score is the item most likely clicked. Ratings and values
// are read in the session and not predicted; purchases are not looked at.
#pragma once

#include "policy/lessons_net.hpp"

namespace hg::policy {

class LogLessons final : public Lessons {
  public:
    /// The log is read when it is first asked for, so that a run plays without it.
    using Lessons::Lessons;

    /// The learner itself: nothing is learned from what comes of it, but its curve shows what it
    /// is worth.
    [[nodiscard]] Agent& behaviour() override { return student(); }

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override;

  private:
    void read_log();

    NetInput decisions_;  // of the log; items are those shown
    at::Tensor clicked_;  // [n, k] 0 or 1
};

}  // namespace hg::policy
