// SPDX-License-Identifier: Apache-2.0
// Task: one user as a meta-learner sees one: events in order, each an item (inputs and offset) and
// the answer, cut into support (what is adapted to) and query (what is asked).
//
// The offset is the answer expected of anybody (an item's mean): learners explain what is left of
// it, so that 0 events and a learner that has learned nothing give the mean.
//
//   const Episode episode = draw_episode(task, {.n_support = 5}, rng);
//   // episode.support, episode.query: indices of the task's events, disjoint
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::policy {

/// What is asked: items. Borrowed.
struct QueriesView {
    MatrixView<const float> inputs;  // [n, n_inputs]
    std::span<const float> offsets;  // [n]

    [[nodiscard]] std::size_t size() const noexcept { return offsets.size(); }
};

/// What is adapted to: items with their answers. Borrowed.
struct EventsView {
    MatrixView<const float> inputs;  // [n, n_inputs]
    std::span<const float> offsets;  // [n]
    std::span<const float> targets;  // [n]

    [[nodiscard]] std::size_t size() const noexcept { return targets.size(); }

    [[nodiscard]] float residual(std::size_t event) const {
        return targets[event] - offsets[event];
    }
};

class TaskEvents {
  public:
    enum class Use : std::uint8_t {
        any,
        query_only,  // an item that did not exist yet when the task began: never in a support
    };

    explicit TaskEvents(std::size_t n_inputs) : n_inputs_(n_inputs) {}

    void add(std::span<const float> inputs, float offset, float target, Use use = Use::any);
    void add_all(const EventsView& events);

    [[nodiscard]] EventsView view() const;

    [[nodiscard]] QueriesView queries() const { return {view().inputs, offsets_}; }

    [[nodiscard]] Use use(std::size_t event) const { return uses_[event]; }

    [[nodiscard]] std::size_t size() const noexcept { return targets_.size(); }

    [[nodiscard]] std::size_t n_inputs() const noexcept { return n_inputs_; }

  private:
    std::size_t n_inputs_;
    std::vector<float> inputs_;  // [size, n_inputs]
    std::vector<float> offsets_;
    std::vector<float> targets_;
    std::vector<Use> uses_;
};

struct EpisodeOptions {
    std::size_t n_support = 0;   // fewer where the task has fewer; one event is left to ask
    std::size_t max_query = 32;  // drawn at random where there are more
    bool is_first = false;       // the support is the task's first events, not random ones
};

/// Indices of a task's events.
struct Episode {
    std::vector<std::size_t> support;
    std::vector<std::size_t> query;
};

[[nodiscard]] Episode draw_episode(const TaskEvents& task, const EpisodeOptions& options, Rng& rng);

}  // namespace hg::policy
