// SPDX-License-Identifier: Apache-2.0
#include "policy/distillation_net.hpp"
#include "policy/lessons_net.hpp"
#include "policy/log_lessons_net.hpp"

#include <algorithm>

namespace hg::policy {

void LessonOptions::describe(OptionBinder& bind, LessonOptions& o) {
    bind(
        "teacher",
        o.teacher,
        "a run of another agent, or an agent that needs no learning, to imitate before the policy "
        "gradient: RUN, RUN:key=value, bayes_optimal; empty = none"
    );
    bind(
        "log",
        o.log,
        "an impression log of the same items to learn from before the policy gradient: what was "
        "shown, and what came of it; empty = none"
    );
    bind(
        "taught_share",
        o.share,
        "of the steps it learns from the teacher or the log; then the policy gradient takes over",
        {.min = 0, .max = 1}
    );
    bind(
        "taught_random",
        o.random,
        "while taught by a teacher: share of slates shown by chance",
        {.min = 0, .max = 1}
    );
    bind(
        "taught_own",
        o.own,
        "while taught by a teacher: share of its own slates",
        {.min = 0, .max = 1}
    );
    bind(
        "taught_remembered",
        o.remembered,
        "while taught by a teacher: steps remembered",
        {.min = 100, .max = 1e8}
    );
    bind("taught_batch", o.batch, "while taught: steps per gradient", {.min = 1, .max = 1e5});
    bind(
        "taught_updates",
        o.updates_per_step,
        "while taught: gradients per step of all users",
        {.min = 0.001, .max = 100}
    );
}

Lessons::Lessons(const LessonOptions& options, const Student& student)
    : options_(options),
      world_(student.context.world),
      session_size_(student.context.session_size),
      student_(student.agent),
      net_(student.net),
      adam_(
          net_.named(),
          train::AdamOptions{
              .learning_rate = student.network.learning_rate, .clip_norm = student.network.clip_norm
          }
      ) {}

std::int64_t Lessons::updates_due(bool is_ready) {
    if (!is_ready) {
        updates_due_ = 0;
        return 0;
    }
    updates_due_ += options_.updates_per_step;
    const auto due = static_cast<std::int64_t>(updates_due_);
    updates_due_ -= static_cast<double>(due);
    return due;
}

at::Tensor Lessons::draw_rows(std::int64_t n, Rng& rng) const {
    auto rows = at::empty({options_.batch}, at::kLong);
    std::generate_n(rows.mutable_data_ptr<std::int64_t>(), options_.batch, [&] {
        return static_cast<std::int64_t>(rng.below(static_cast<std::size_t>(n)));
    });
    return rows;
}

void Lessons::descend(at::Tensor loss) {
    if (const auto extra = net_.auxiliary_loss(); extra.defined()) {
        loss = loss + extra;
    }
    adam_.descend(loss, ++adam_step_);
}

void Lessons::save(SafetensorsWriter& weights) const {
    add_adam(weights, "taught.adam.", adam_, adam_step_);
}

void Lessons::load(const SafetensorsFile& weights) {
    adam_step_ = load_adam(weights, "taught.adam.", adam_);
}

std::unique_ptr<Lessons> make_lessons(const LessonOptions& options, const Student& student) {
    if (!options.teacher.empty() && !options.log.empty()) {
        throw Error{
            ErrorCode::invalid_argument,
            "teacher and log: an agent is taught by one of them",
            "learn from the log first, then begin with that run: --from RUN --set teacher=...",
        };
    }
    if (!options.teacher.empty()) {
        return std::make_unique<Distillation>(options, student);
    }
    if (!options.log.empty()) {
        return std::make_unique<LogLessons>(options, student);
    }
    return nullptr;
}

}  // namespace hg::policy
