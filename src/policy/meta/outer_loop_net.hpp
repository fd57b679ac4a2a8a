// SPDX-License-Identifier: Apache-2.0
// outer_loop: episodes of training tasks, updates, checks on held-out tasks, the best weights kept:
// what every learner trained by gradients shares. Private to this room.
#pragma once

#include "policy/meta/meta_learner.hpp"
#include "policy/meta/outer_options.hpp"
#include "policy/meta/task_batch_net.hpp"
#include "train/adam.hpp"

#include <cstdint>
#include <functional>
#include <span>

namespace hg::policy {

struct OuterLoop {
    train::Adam::NamedTensors weights;  // restored to the best check at the end
    TargetScale scale;
    /// One outer step; `rate_share` falls from 1 to 0.05.
    std::function<void(const TaskBatch& batch, std::int64_t step, double rate_share)> update;
    /// Mean squared error of the queries.
    std::function<double(const TaskBatch& batch)> check;
};

/// The scale that OuterOptions::target asks for, learned from these tasks.
[[nodiscard]] TargetScale scale_of(const OuterOptions& options, std::span<const TaskEvents> tasks);

/// A learner that is a network: its weights and its scale.
void save_network(
    const train::Adam::NamedTensors& network, const TargetScale& scale, SafetensorsWriter& weights
);
/// What save_network() wrote, into `network`; returns the scale.
[[nodiscard]] TargetScale load_network(
    const SafetensorsFile& weights, const train::Adam::NamedTensors& network
);

/// out[i] = the answer to query i, with what the scale took from it.
void write_answers(
    const at::Tensor& answers,
    const QueriesView& queries,
    const TargetScale& scale,
    std::span<float> out
);

void run_outer_loop(
    const OuterOptions& options,
    std::span<const TaskEvents> tasks,
    const OuterLoop& loop,
    const MetaFit& session
);

/// update() for a loss that has a gradient: AdamW.
[[nodiscard]] std::function<void(const TaskBatch&, std::int64_t, double)> descend(
    const OuterOptions& options,
    const train::Adam::NamedTensors& weights,
    std::function<at::Tensor(const TaskBatch&)> loss
);

}  // namespace hg::policy
