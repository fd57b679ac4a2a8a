// SPDX-License-Identifier: Apache-2.0
#include "policy/distillation_net.hpp"
#include "policy/learn.hpp"
#include "policy/session_tokens.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::policy {
namespace {

/// Shows an agent the sessions in the length it was made for: tokens are aligned right.
class WithItsSessions final : public Agent {
  public:
    WithItsSessions(std::unique_ptr<Agent> agent, std::size_t columns)
        : agent_(std::move(agent)), columns_(columns) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override {
        agent_->act(fitted(seen), mode, rng, out);
    }

    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override {
        agent_->propensities(fitted(seen), mode, slates, out);
    }

  private:
    ObservationBatch fitted(const ObservationBatch& seen) {
        sessions_ = Matrix<float>(seen.size(), columns_);
        const auto n = std::min(columns_, seen.sessions.cols());
        for (std::size_t u = 0; u < seen.size(); ++u) {
            std::ranges::copy(seen.sessions.row(u).last(n), sessions_.row(u).last(n).begin());
        }
        auto theirs = seen;
        theirs.sessions = std::as_const(sessions_).view();
        return theirs;
    }

    std::unique_ptr<Agent> agent_;
    std::size_t columns_;
    Matrix<float> sessions_;
};

}  // namespace

Distillation::Distillation(const LessonOptions& options, const Student& student)
    : Lessons(options, student),
      session_tokens_(session_size() / SessionTokens::token_size(world())),
      seed_(Rng{student.context.rng}.split("teacher")()) {
    if (options.random + options.own > 1) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "taught_random {} and taught_own {} are more than all slates",
                options.random,
                options.own
            ),
            "leave some to the teacher"
        };
    }
}

void Distillation::load_teacher() {
    auto loaded = load_agent(options().teacher, world(), {}, seed_);
    const auto longest = world().step_limit * world().slate_size;  // 0 = unknown
    if (longest > 0 && std::min(loaded.session_tokens, longest) > session_tokens_) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "teacher {} looks back on {} shown items and the learner on {}",
                options().teacher,
                std::min(loaded.session_tokens, longest),
                session_tokens_
            ),
            fmt::format("set session_length={}", std::min(loaded.session_tokens, longest))
        };
    }
    teacher_ = std::make_unique<WithItsSessions>(
        std::move(loaded.agent), loaded.session_tokens * SessionTokens::token_size(world())
    );
    chance_ = load_agent("random", world(), {}, seed_).agent;
    std::vector<AgentMixture::Part> parts;
    const auto add = [&](Agent& agent, Mode mode, double share) {
        if (share > 0) {
            parts.push_back({.agent = &agent, .mode = mode, .share = share});
        }
    };
    add(*teacher_, Mode::exploit, 1 - options().random - options().own);
    add(student(), Mode::explore, options().own);
    add(*chance_, Mode::explore, options().random);
    behaviour_ = std::make_unique<AgentMixture>(std::move(parts));
}

Agent& Distillation::behaviour() {
    if (behaviour_ == nullptr) {
        load_teacher();
    }
    return *behaviour_;
}

void Distillation::observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) {
    (void)behaviour();
    DecisionBatch wanted{step.before.size(), world().slate_size};
    teacher_->act(step.before, Mode::exploit, rng, wanted);
    auto slates =
        at::empty({signed_size(wanted.slates.rows()), signed_size(world().slate_size)}, at::kLong);
    std::ranges::copy(wanted.slates.values(), slates.mutable_data_ptr<std::int64_t>());
    remember(step, slates);
    const bool is_ready = n_lessons_ >= std::min(options().batch, options().remembered);
    for (auto due = updates_due(is_ready); due > 0; --due) {
        learn(rng, log);
    }
}

void Distillation::remember(const TransitionBatch& step, const at::Tensor& slates) {
    const auto in = borrow(step.before, world().n_candidates);
    if (!labels_.defined()) {
        lessons_ = NetInput::zeros(options().remembered, world(), step.before.sessions.cols());
        labels_ = at::zeros({options().remembered, slates.size(1)}, at::kLong);
    }
    for (std::int64_t from = 0; from < slates.size(0);) {
        const auto n = std::min(slates.size(0) - from, options().remembered - next_);
        lessons_.put(next_, in.slice(from, n));
        labels_.narrow(0, next_, n).copy_(slates.narrow(0, from, n));
        from += n;
        next_ = (next_ + n) % options().remembered;
        n_lessons_ = std::min(n_lessons_ + n, options().remembered);
    }
}

void Distillation::learn(Rng& rng, const MetricSink& log) {
    const auto rows = draw_rows(n_lessons_, rng);
    const auto labels = labels_.index_select(0, rows);
    const auto out = net().forward(lessons_.rows(rows));
    const auto loss = -slate_log_prob(out.scores, labels).mean();
    log("imitation_loss", loss.item<double>());
    log("imitation_hits",
        (out.scores.argmax(1) == labels.select(1, 0)).to(at::kFloat).mean().item<double>());
    descend(loss);
}

}  // namespace hg::policy
