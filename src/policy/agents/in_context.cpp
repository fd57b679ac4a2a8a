// SPDX-License-Identifier: Apache-2.0
// The in-context policy: a causal transformer reads the session, what was shown and what came of it,
// and scores every candidate: the inner loop is the forward pass. Learned as RL2 (Duan et al., 2016)
// by a policy gradient in a world where every episode is another user; first or only, with `teacher` by
// imitating a policy that has a belief (decision-pretrained: distillation_net.hpp), with `log` by what
// users answered (log_lessons_net.hpp).
//
// Where we deviate from RL2: a session ends with its episode, and answers are tokens of the items they
// were given to, so an item it never saw in learning is read by its numbers; `item_embedding` learns
// some more of each item.
#include "policy/lessons_net.hpp"
#include "policy/policy_gradient_net.hpp"

namespace hg::policy {
namespace {

struct InContextOptions : OuterLoopOptions {
    LessonOptions taught;

    InContextOptions() {
        network.encoder = "transformer";
        network.transformer = {.layers = 2, .heads = 2};
        network.session_length = 50;
        network.hidden = 64;
        network.learning_rate = 1e-3;
        network.discount = 0.95;
        rollout = 25;
    }

    static void describe(OptionBinder& bind, InContextOptions& o) {
        LessonOptions::describe(bind, o.taught);
        OuterLoopOptions::describe(bind, o);
    }
};

class InContextAgent final : public Agent {
  public:
    InContextAgent(const AgentContext& context, const InContextOptions& options)
        : options_(options),
          policy_(make_outer_loop(context, options)),
          lessons_(make_lessons(
              options.taught,
              {.context = context,
               .network = options.network,
               .agent = *policy_,
               .net = policy_->net()}
          )) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override {
        acting(mode).act(seen, mode, rng, out);
    }

    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override {
        acting(mode).propensities(seen, mode, slates, out);
    }

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override {
        if (is_taught_) {
            lessons_->observe(step, rng, log);
        } else {
            policy_->observe(step, rng, log);
        }
    }

    /// Said before every step of learning and never to a policy that only plays.
    void set_progress(double share) override {
        policy_->set_progress(share);
        is_taught_ = lessons_ != nullptr && share < options_.taught.share;
        if (is_taught_) {
            lessons_->set_rate_share(options_.network.rate_share(share / options_.taught.share));
        }
    }

    void save(SafetensorsWriter& weights, Save what) const override {
        policy_->save(weights, what);
        if (what == Save::resume && lessons_ != nullptr) {
            lessons_->save(weights);
        }
    }

    void load(const SafetensorsFile& weights, Save what) override {
        policy_->load(weights, what);
        if (what == Save::resume && lessons_ != nullptr) {
            lessons_->load(weights);
        }
        is_taught_ = false;
    }

  private:
    [[nodiscard]] Agent& acting(Mode mode) {
        return is_taught_ && mode == Mode::explore ? lessons_->behaviour()
                                                   : static_cast<Agent&>(*policy_);
    }

    InContextOptions options_;
    std::unique_ptr<ActorCritic> policy_;
    std::unique_ptr<Lessons> lessons_;  // with a teacher or a log only
    bool is_taught_ = false;            // now
};

std::unique_ptr<Agent> in_context_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<InContextAgent>(context, settings.read<InContextOptions>());
}

}  // namespace

extern const AgentEntry in_context{
    .name = "in_context",
    .summary =
        "a transformer over the session scores every item: RL2, also after a teacher or a log",
    .facts = AgentFact::learns | AgentFact::uses_network,
    .options = &describe_options<InContextOptions>,
    .make = &in_context_agent,
    .session_tokens = &session_tokens_of<InContextOptions>,
};

}  // namespace hg::policy
