// SPDX-License-Identifier: Apache-2.0
// MetaLearner: the inner loop as an interface: what was learned from many tasks (users), a belief
// about one more, and the belief after each of its events.
//
// fit() is the outer loop. adapt() is the inner loop and never changes the learner, so one learner
// serves many users side by side (const-safe after fit). All events at once or one by one give the
// same belief up to rounding; a learner with the fact `incremental` does it without keeping the
// events. Values are real numbers (ratings); tests/policy/meta_learners_test.cpp holds every line
// of learners/builtin.def to this contract.
//
//   auto learner = find_meta_learner("anil").make(n_inputs, settings, Rng{7});
//   learner->fit(tasks, {Rng{7}, progress, stop});
//   TaskBelief belief = learner->start();
//   learner->adapt(belief, event);   learner->predict(belief, queries, out);
#pragma once

#include "core/options.hpp"
#include "core/progress.hpp"
#include "core/rng.hpp"
#include "core/safetensors.hpp"
#include "policy/meta/task.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

namespace hg::policy {

/// What is known of one task. Plain data: copy it, store it, rebuild it from the events.
struct TaskBelief {
    std::vector<float> state;  // adapted weights or a posterior: only its learner can read it
    TaskEvents events;         // so far; empty for incremental learners
    std::size_t n_events = 0;
};

struct MetaFit {
    Rng rng;
    ProgressSink& progress;
    std::stop_token stop;
};

class MetaLearner {
  public:
    MetaLearner() = default;
    MetaLearner(const MetaLearner&) = delete;
    MetaLearner& operator=(const MetaLearner&) = delete;
    MetaLearner(MetaLearner&&) = delete;
    MetaLearner& operator=(MetaLearner&&) = delete;
    virtual ~MetaLearner() = default;

    /// The outer loop. Tasks hold as many inputs as the learner was made for, at least one event.
    virtual void fit(std::span<const TaskEvents> tasks, MetaFit session) = 0;

    /// Before any event.
    [[nodiscard]] virtual TaskBelief start() const = 0;

    /// belief <- these events too.
    virtual void adapt(TaskBelief& belief, const EventsView& events) const = 0;

    /// The answers expected; out has a place per query.
    virtual void predict(const TaskBelief& belief, const QueriesView& queries, std::span<float> out)
        const = 0;

    virtual void save(SafetensorsWriter& weights) const = 0;
    /// Of a learner made with the same settings. Throws Error{corrupt}.
    virtual void load(const SafetensorsFile& weights) = 0;
};

/// Facts as a bit set: contract tests read them instead of names.
enum class MetaFact : std::uint32_t {
    none = 0,
    adapts = 1U << 0U,       // events change the answers
    incremental = 1U << 1U,  // an event costs the same however many came before
};

[[nodiscard]] constexpr MetaFact operator|(MetaFact a, MetaFact b) noexcept {
    return static_cast<MetaFact>(static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b));
}

[[nodiscard]] constexpr bool has(MetaFact facts, MetaFact wanted) noexcept {
    return (static_cast<std::uint32_t>(facts) & static_cast<std::uint32_t>(wanted)) != 0;
}

struct MetaLearnerEntry {
    std::string_view name;
    std::string_view summary;
    MetaFact facts = MetaFact::none;
    DescribeOptions options;
    std::unique_ptr<MetaLearner> (*make)(std::size_t n_inputs, const Settings& settings, Rng rng);
};

/// All learners, in the order of learners/builtin.def.
[[nodiscard]] std::span<const MetaLearnerEntry* const> meta_learners();

/// Throws Error with the known names.
[[nodiscard]] const MetaLearnerEntry& find_meta_learner(std::string_view name);

}  // namespace hg::policy
