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

void DistillationOptions::describe(OptionBinder& bind, DistillationOptions& o) {
    bind(
        "teacher",
        o.teacher,
        "a run of another agent, or an agent that needs no learning, to imitate before the policy "
        "gradient: RUN, RUN:key=value, bayes_optimal; empty = none"
    );
    bind(
        "taught_share",
        o.share,
        "of the steps it imitates the teacher; then the policy gradient takes over",
        {.min = 0, .max = 1}
    );
    bind(
        "taught_random",
        o.random,
        "while taught: share of slates shown by chance",
        {.min = 0, .max = 1}
    );
    bind("taught_own", o.own, "while taught: share of its own slates", {.min = 0, .max = 1});
    bind(
        "taught_remembered",
        o.remembered,
        "while taught: steps remembered",
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

Distillation::Distillation(
    const AgentContext& context,
    const DistillationOptions& options,
    const NetworkOptions& network,
    Agent& student,
    AgentNet& net
)
    : options_(options),
      world_(context.world),
      session_tokens_(context.session_size / SessionTokens::token_size(context.world)),
      seed_(Rng{context.rng}.split("teacher")()),
      student_(student),
      net_(net),
      adam_(
          net.named(),
          train::AdamOptions{.learning_rate = network.learning_rate, .clip_norm = network.clip_norm}
      ) {
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
    auto loaded = load_agent(options_.teacher, world_, {}, seed_);
    const auto longest = world_.step_limit * world_.slate_size;  // 0 = unknown
    if (longest > 0 && std::min(loaded.session_tokens, longest) > session_tokens_) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "teacher {} looks back on {} shown items and the learner on {}",
                options_.teacher,
                std::min(loaded.session_tokens, longest),
                session_tokens_
            ),
            fmt::format("set session_length={}", std::min(loaded.session_tokens, longest))
        };
    }
    teacher_ = std::make_unique<WithItsSessions>(
        std::move(loaded.agent), loaded.session_tokens * SessionTokens::token_size(world_)
    );
    chance_ = load_agent("random", world_, {}, seed_).agent;
    std::vector<AgentMixture::Part> parts;
    const auto add = [&](Agent& agent, Mode mode, double share) {
        if (share > 0) {
            parts.push_back({.agent = &agent, .mode = mode, .share = share});
        }
    };
    add(*teacher_, Mode::exploit, 1 - options_.random - options_.own);
    add(student_, Mode::explore, options_.own);
    add(*chance_, Mode::explore, options_.random);
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
    DecisionBatch wanted{step.before.size(), world_.slate_size};
    teacher_->act(step.before, Mode::exploit, rng, wanted);
    const auto size = [](std::size_t n) { return static_cast<std::int64_t>(n); };
    auto slates = at::empty({size(wanted.slates.rows()), size(world_.slate_size)}, at::kLong);
    std::ranges::copy(wanted.slates.values(), slates.mutable_data_ptr<std::int64_t>());
    remember(step, slates);
    updates_due_ += options_.updates_per_step;
    if (n_lessons_ < std::min(options_.batch, options_.remembered)) {
        updates_due_ = 0;
    }
    for (; updates_due_ >= 1; updates_due_ -= 1) {
        learn(rng, log);
    }
}

void Distillation::remember(const TransitionBatch& step, const at::Tensor& slates) {
    const auto in = borrow(step.before, world_.n_candidates);
    const auto ring = [&](const at::Tensor& rows) {
        auto sizes = rows.sizes().vec();
        sizes[0] = options_.remembered;
        return at::zeros(sizes, rows.options());
    };
    if (!labels_.defined()) {
        lessons_ = {
            .users = ring(in.users), .items = ring(in.items), .sessions = ring(in.sessions)
        };
        labels_ = ring(slates);
    }
    for (std::int64_t from = 0; from < slates.size(0);) {
        const auto n = std::min(slates.size(0) - from, options_.remembered - next_);
        const auto put = [&](const at::Tensor& to, const at::Tensor& rows) {
            to.narrow(0, next_, n).copy_(rows.narrow(0, from, n));
        };
        put(lessons_.users, in.users);
        put(lessons_.items, in.items);
        put(lessons_.sessions, in.sessions);
        put(labels_, slates);
        from += n;
        next_ = (next_ + n) % options_.remembered;
        n_lessons_ = std::min(n_lessons_ + n, options_.remembered);
    }
}

void Distillation::learn(Rng& rng, const MetricSink& log) {
    auto rows = at::empty({options_.batch}, at::kLong);
    std::generate_n(rows.mutable_data_ptr<std::int64_t>(), options_.batch, [&] {
        return static_cast<std::int64_t>(rng.below(static_cast<std::size_t>(n_lessons_)));
    });
    const auto labels = labels_.index_select(0, rows);
    const auto out = net_.forward(lessons_.rows(rows));
    auto loss = -slate_log_prob(out.scores, labels).mean();
    log("imitation_loss", loss.item<double>());
    log("imitation_hits",
        (out.scores.argmax(1) == labels.select(1, 0)).to(at::kFloat).mean().item<double>());
    if (const auto extra = net_.auxiliary_loss(); extra.defined()) {
        loss = loss + extra;
    }
    adam_.zero_gradients();
    loss.backward();
    adam_.step(++adam_step_);
}

void Distillation::save(SafetensorsWriter& weights) const {
    add_adam(weights, "taught.adam.", adam_, adam_step_);
}

void Distillation::load(const SafetensorsFile& weights) {
    adam_step_ = load_adam(weights, "taught.adam.", adam_);
}

}  // namespace hg::policy
