// SPDX-License-Identifier: Apache-2.0
// Replay: a ring of n-step transitions, sampled uniformly. Private to this room.
//
//   (s_t, slate_t, R = sum_{l<n} gamma^l r_{t+l}, s_{t+n}, gamma^n or 0 where the episode ended)
//
// Each user's last n steps wait in a queue until the n-step reward is known; the end of an episode
// flushes it. The response kept is that of the first step.
#pragma once

#include "policy/agent_net.hpp"

#include <cstdint>
#include <deque>
#include <vector>

namespace hg::policy {

struct ReplayBatch {
    NetInput before;
    NetInput after;
    at::Tensor slates;     // [B, k] int64
    at::Tensor clicked;    // [B, k]
    at::Tensor rewards;    // [B] n-step
    at::Tensor discounts;  // [B] of the value of `after`
};

class Replay {
  public:
    Replay(
        const AgentContext& context, std::int64_t capacity, std::int64_t n_steps, double discount
    );

    void add(const TransitionBatch& step);

    [[nodiscard]] std::int64_t size() const noexcept { return size_; }

    [[nodiscard]] ReplayBatch sample(std::int64_t n, Rng& rng) const;

  private:
    struct Waiting {
        std::int64_t row = 0;  // already written but for what follows
        double reward = 0;
        double discount = 1;
    };

    std::int64_t write(const TransitionBatch& step, std::size_t user);
    void finish(
        const Waiting& waiting, const ObservationBatch& after, std::size_t user, bool ended
    );

    std::int64_t capacity_;
    std::int64_t n_steps_;
    double discount_;
    std::int64_t size_ = 0;  // rows that are whole
    std::int64_t next_ = 0;
    ReplayBatch ring_;
    std::vector<std::uint8_t> is_whole_;
    std::vector<std::deque<Waiting>> waiting_;  // per user
};

}  // namespace hg::policy
