// SPDX-License-Identifier: Apache-2.0
// Lessons: what a network is taught before it learns by acting: by a teacher (distillation_net.hpp)
// or by a log (log_lessons_net.hpp). Private to this room.
#pragma once

#include "policy/agent_net.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace hg::policy {

struct LessonOptions {
    std::string teacher;
    std::string log;
    double share = 1;
    double random = 0.25;
    double own = 0.25;
    std::int64_t remembered = 20'000;
    std::int64_t batch = 512;
    double updates_per_step = 2;

    static void describe(OptionBinder& bind, LessonOptions& o);
};

/// Who is taught; agent and net outlive the lessons.
struct Student {
    const AgentContext& context;
    const NetworkOptions& network;
    Agent& agent;  // acts by `net`
    AgentNet& net;
};

class Lessons {
  public:
    Lessons(const LessonOptions& options, const Student& student);
    Lessons(const Lessons&) = delete;
    Lessons& operator=(const Lessons&) = delete;
    Lessons(Lessons&&) = delete;
    Lessons& operator=(Lessons&&) = delete;
    virtual ~Lessons() = default;

    /// Who acts meanwhile.
    [[nodiscard]] virtual Agent& behaviour() = 0;

    virtual void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) = 0;

    void set_rate_share(double share) { adam_.set_rate_share(share); }

    void save(SafetensorsWriter& weights) const;
    void load(const SafetensorsFile& weights);

  protected:
    [[nodiscard]] const LessonOptions& options() const noexcept { return options_; }

    [[nodiscard]] const simulate::EnvironmentFacts& world() const noexcept { return world_; }

    [[nodiscard]] std::size_t session_size() const noexcept { return session_size_; }

    [[nodiscard]] Agent& student() noexcept { return student_; }

    [[nodiscard]] AgentNet& net() noexcept { return net_; }

    /// Gradients due after one more step of all users; `is_ready` = there is something to learn from.
    [[nodiscard]] std::int64_t updates_due(bool is_ready);
    /// Rows of a batch, drawn evenly from the first n.
    [[nodiscard]] at::Tensor draw_rows(std::int64_t n, Rng& rng) const;
    /// One step of Adam.
    void descend(at::Tensor loss);

  private:
    LessonOptions options_;
    simulate::EnvironmentFacts world_;
    std::size_t session_size_;
    Agent& student_;
    AgentNet& net_;
    train::Adam adam_;
    std::int64_t adam_step_ = 0;
    double updates_due_ = 0;
};

/// By the teacher or the log that the options name; null where they name none. Throws Error where
/// they name both.
[[nodiscard]] std::unique_ptr<Lessons> make_lessons(
    const LessonOptions& options, const Student& student
);

}  // namespace hg::policy
