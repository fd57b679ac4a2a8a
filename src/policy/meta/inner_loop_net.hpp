// SPDX-License-Identifier: Apache-2.0
// inner_loop: gradient steps on the support of each task, kept in the graph or not: what MAML and
// its relatives share. Private to this room.
//
//   L_S(w) = c/2 sum over the support of (f_w(x) - y)^2,  c = 1 (sum) or 1/k (mean)
//   w_0 = theta,   w_{t+1} = w_t - a * grad L_S(w_t)
//
// With c = 1 a step's size grows with the evidence, as a posterior's does; papers use the mean.
#pragma once

#include "policy/meta/gradient_plan.hpp"
#include "policy/meta/mlp_net.hpp"
#include "policy/meta/task_batch_net.hpp"

#include <cstddef>
#include <cstdint>

namespace hg::policy {

/// Whether gradients of the adapted weights see how they were adapted.
enum class Order : std::uint8_t { first, second };
enum class SupportLoss : std::uint8_t { sum, mean };

struct InnerLoop {
    std::int64_t steps = 1;
    double rate = 0.1;
    Adapted adapted = Adapted::all;
    Order order = Order::second;
    SupportLoss loss = SupportLoss::sum;
};

/// theta, once per task: differentiable in theta, B in front.
[[nodiscard]] Weights repeat(const Weights& weights, std::int64_t n_tasks);

/// L_S of each task, [B].
[[nodiscard]] at::Tensor support_loss(
    const Weights& weights, const EventTensors& support, SupportLoss loss
);

/// w_steps from w_0 = theta. `rates`: one per adapted weight (Meta-SGD), shaped as these; empty =
/// InnerLoop::rate for all. Weights that are not adapted come back as they are.
[[nodiscard]] Weights adapt_weights(
    const Weights& theta,
    const EventTensors& support,
    const InnerLoop& inner,
    const Weights& rates = {}
);

/// Reptile's outer step (Nichol et al., 2018, algorithm 2): theta <- theta + rate * mean over tasks
/// of (adapted - theta). In place.
void move_towards(const Weights& theta, const Weights& adapted, double rate);

}  // namespace hg::policy
