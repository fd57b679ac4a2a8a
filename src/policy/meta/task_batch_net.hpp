// SPDX-License-Identifier: Apache-2.0
// TaskBatch: episodes of many tasks as padded tensors. Private to this room.
//
// Letters: B tasks, K support events, Q queries, d inputs. A mask is 1 where there is an event.
#pragma once

#include "policy/meta/task.hpp"

#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hg::policy {

/// What learners explain: the residual over the offset, or the answer itself (centred).
struct TargetScale {
    bool uses_offsets = true;
    float centre = 0;  // subtracted where offsets are not

    [[nodiscard]] float shift(float offset) const noexcept {
        return uses_offsets ? offset : centre;
    }
};

struct EventTensors {
    at::Tensor inputs;   // [B, n, d]
    at::Tensor targets;  // [B, n]
    at::Tensor mask;     // [B, n]
};

struct TaskBatch {
    EventTensors support;
    EventTensors query;
};

/// One task's events without padding, B = 1.
[[nodiscard]] inline EventTensors to_tensors(const EventsView& events, const TargetScale& scale) {
    const auto n = static_cast<std::int64_t>(events.size());
    const auto d = static_cast<std::int64_t>(events.inputs.cols());
    EventTensors out{at::empty({1, n, d}), at::empty({1, n}), at::ones({1, n})};
    auto* inputs = out.inputs.mutable_data_ptr<float>();
    auto* targets = out.targets.mutable_data_ptr<float>();
    for (std::size_t i = 0; i < events.size(); ++i) {
        inputs = std::ranges::copy(events.inputs.row(i), inputs).out;
        targets[i] = events.targets[i] - scale.shift(events.offsets[i]);
    }
    return out;
}

namespace detail {

using Rows = std::span<const std::vector<std::size_t>>;

inline EventTensors gather(
    std::span<const TaskEvents* const> tasks, Rows rows, const TargetScale& scale
) {
    std::size_t longest = 1;  // an empty dimension would break reductions
    for (const auto& row : rows) {
        longest = std::max(longest, row.size());
    }
    const auto b = static_cast<std::int64_t>(tasks.size());
    const auto n = static_cast<std::int64_t>(longest);
    const auto d = tasks.front()->n_inputs();
    EventTensors out{
        at::zeros({b, n, static_cast<std::int64_t>(d)}), at::zeros({b, n}), at::zeros({b, n})
    };
    auto* inputs = out.inputs.mutable_data_ptr<float>();
    auto* targets = out.targets.mutable_data_ptr<float>();
    auto* mask = out.mask.mutable_data_ptr<float>();
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        const auto events = tasks[t]->view();
        for (std::size_t j = 0; j < rows[t].size(); ++j) {
            const auto event = rows[t][j];
            const auto cell = t * longest + j;
            std::ranges::copy(events.inputs.row(event), inputs + cell * d);
            targets[cell] = events.targets[event] - scale.shift(events.offsets[event]);
            mask[cell] = 1;
        }
    }
    return out;
}

}  // namespace detail

/// An episode of each task.
[[nodiscard]] inline TaskBatch make_batch(
    std::span<const TaskEvents* const> tasks,
    const EpisodeOptions& options,
    const TargetScale& scale,
    Rng& rng
) {
    std::vector<std::vector<std::size_t>> support;
    std::vector<std::vector<std::size_t>> query;
    for (const auto* task : tasks) {
        auto episode = draw_episode(*task, options, rng);
        support.push_back(std::move(episode.support));
        query.push_back(std::move(episode.query));
    }
    return {detail::gather(tasks, support, scale), detail::gather(tasks, query, scale)};
}

/// Mean over the events that are there.
[[nodiscard]] inline at::Tensor masked_mean_square(
    const at::Tensor& predicted, const EventTensors& events
) {
    const auto error = (predicted - events.targets) * events.mask;
    return error.square().sum() / events.mask.sum().clamp_min(1);
}

}  // namespace hg::policy
