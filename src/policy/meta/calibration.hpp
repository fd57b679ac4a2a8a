// SPDX-License-Identifier: Apache-2.0
// calibration: how well an inner loop does after the first events of held-out tasks: what the
// closed forms choose their prior's width by.
//
// First events, not random ones: a new user is known by the first events, and tastes and habits
// drift, which makes early evidence worth less than its noise says.
#pragma once

#include "core/rng.hpp"
#include "policy/meta/task.hpp"

#include <functional>
#include <span>
#include <vector>

namespace hg::policy {

/// A task cut in two, ready to be asked.
struct HeldOutEpisode {
    TaskEvents support;
    TaskEvents query;
};

/// The first 1, 5, 10 and 20 events of each task as a support, all others as queries; a task with
/// too few events gives fewer.
[[nodiscard]] std::vector<HeldOutEpisode> first_event_episodes(std::span<const TaskEvents> tasks);

/// Mean over episodes of the mean squared error of their queries.
[[nodiscard]] double mean_square_error(
    std::span<const HeldOutEpisode> episodes,
    const std::function<
        void(const EventsView& support, const QueriesView& query, std::span<float>)>& predict
);

}  // namespace hg::policy
