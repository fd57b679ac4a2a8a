// SPDX-License-Identifier: Apache-2.0
// Constant knobs on the same belief as the meta-policy's: the rows it must beat.
//
//   greedy     m(i)                                     (alpha = 0)
//   ucb        m(i) + alpha sigma(i), alpha constant, alpha / sqrt(1 + answers seen) or
//              alpha / (1 + answers seen)
//   thompson   the best of a posterior draw; exact propensities as in posterior_draws.hpp
//   square_cb  inverse gaps of m(i)                     (Foster and Rakhlin, 2020)
//
// Only the prior is learned (belief_filter_net.hpp), from the sessions it plays itself. `context` makes
// the ablations: none = no inner step, shuffled = the belief of somebody else's session.
#include "policy/agent_net.hpp"
#include "policy/belief_filter_net.hpp"
#include "policy/posterior_draws.hpp"
#include "policy/scored_agent.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::policy {
namespace {

struct BeliefAgentOptions {
    std::string explore = "ucb";
    double alpha = 0;
    std::string schedule = "constant";
    double gamma = 50;
    std::int64_t draws = 64;
    std::string answer = "value";
    std::string prior = "learned";
    std::string context = "own";
    std::int64_t session_length = 50;
    double temperature = 0.25;
    double learning_rate = 3e-2;
    double final_rate_share = 0.05;
    std::int64_t rollout = 1;

    static void describe(OptionBinder& bind, BeliefAgentOptions& o) {
        bind("explore", o.explore, "how", {.choices = {"greedy", "ucb", "thompson", "square_cb"}});
        bind("alpha", o.alpha, "deviations added to the mean by ucb", {.min = -10, .max = 10});
        bind(
            "schedule",
            o.schedule,
            "alpha stays, or falls as 1 / sqrt(1 + answers) or as 1 / (1 + answers)",
            {.choices = {"constant", "inverse_root", "inverse"}}
        );
        bind("gamma", o.gamma, "sharpness of square_cb", {.min = 0, .max = 1e6});
        bind("draws", o.draws, "posterior draws of thompson", {.min = 1, .max = 10000});
        bind(
            "answer",
            o.answer,
            "what the belief is about: what a step earns, or the rating of clicked items",
            {.choices = {"value", "rating"}}
        );
        bind("prior", o.prior, "learned, or as it begins", {.choices = {"learned", "flat"}});
        bind(
            "context",
            o.context,
            context_help,
            {.choices = {context_choices.begin(), context_choices.end()}}
        );
        bind("session_length", o.session_length, "answers looked back on", {.min = 1, .max = 512});
        bind("temperature", o.temperature, "of slates while learning", {.min = 1e-6, .max = 1e6});
        bind("learning_rate", o.learning_rate, "step size of Adam", {.min = 1e-7, .max = 1});
        bind(
            "final_rate_share",
            o.final_rate_share,
            "what is left of the learning rate at the end",
            {.min = 0, .max = 1}
        );
        bind("rollout", o.rollout, "steps between two updates", {.min = 1, .max = 1e5});
    }
};

class BeliefAgent final : public ScoredAgent {
  public:
    BeliefAgent(const AgentContext& context, const BeliefAgentOptions& options)
        : ScoredAgent(context.world), options_(options) {
        seed_torch(context.rng);
        const auto n_item = static_cast<std::int64_t>(context.world.item_size);
        filter_ = std::make_shared<BeliefFilterNet>(
            n_item, options.answer == "value" ? Answer::value : Answer::rating
        );
        named_ = named_of(*filter_);
        adam_ = std::make_unique<train::Adam>(
            named_, train::AdamOptions{.learning_rate = options.learning_rate, .clip_norm = 1}
        );
        normals_ = at::randn({options.draws, filter_->dim()});
    }

    void observe(const TransitionBatch& step, Rng& rng, const MetricSink& log) override {
        if (options_.prior == "flat") {
            return;
        }
        seen_.push_back(tokens_of(step.after).clone());
        if (std::ssize(seen_) < options_.rollout) {
            return;
        }
        const auto loss = filter_->next_answer_loss(at::cat(seen_, 0));
        adam_->descend(loss, ++adam_step_);
        log("next_answer_loss", loss.item<double>());
        seen_.clear();
        seed_torch(rng.split("draws"));
        normals_ = at::randn_like(normals_);
    }

    void set_progress(double share) override {
        adam_->set_rate_share(1 - (1 - options_.final_rate_share) * share);
    }

    void save(SafetensorsWriter& weights, Save what) const override {
        add_tensors(weights, "belief.", named_);
        encode::add_tensor(weights, "draws", normals_);
        if (what == Save::resume) {
            add_adam(weights, "adam.", *adam_, adam_step_);
        }
    }

    void load(const SafetensorsFile& weights, Save what) override {
        copy_tensors(weights, "belief.", named_);
        encode::copy_tensor(weights, "draws", normals_);
        if (what == Save::resume) {
            adam_step_ = load_adam(weights, "adam.", *adam_);
        }
    }

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) override {
        const at::NoGradGuard no_grad;
        const auto tokens = tokens_of(seen);
        const auto belief = filter_->posterior(tokens);
        const auto items = borrow(seen, world().n_candidates).items;
        if (mode == Mode::exploit && options_.explore == "thompson") {
            count_wins(filter_->draw(belief, items, normals_), out);
            return;
        }
        const auto read = filter_->read(belief, items);
        auto scores = read.mean;
        if (options_.explore == "ucb" && options_.alpha != 0) {
            scores = scores + alpha(tokens) * read.deviation;
        }
        encode::to_matrix(scores.contiguous(), out);
    }

    SlateRule rule(Mode mode) const override {
        if (mode == Mode::explore) {
            return {.draw = SlateDraw::softmax, .temperature = options_.temperature};
        }
        if (options_.explore == "square_cb") {
            return {.draw = SlateDraw::inverse_gap, .gamma = options_.gamma};
        }
        return {.draw = options_.explore == "thompson" ? SlateDraw::softmax : SlateDraw::greedy};
    }

  private:
    /// [B, length, item_size + 4]: whose session the context asks for.
    [[nodiscard]] at::Tensor tokens_of(const ObservationBatch& seen) const {
        const auto sessions = borrow(seen, world().n_candidates).sessions;
        return session_in(answers_of(sessions, options_.session_length), options_.context);
    }

    /// [B, 1]
    [[nodiscard]] at::Tensor alpha(const at::Tensor& tokens) const {
        const auto n = present_of(tokens).sum(1, true);
        if (options_.schedule == "constant") {
            return at::full_like(n, options_.alpha);
        }
        return options_.alpha / (options_.schedule == "inverse" ? 1 + n : (1 + n).sqrt());
    }

    static void count_wins(const at::Tensor& drawn, MatrixView<float> out) {
        const auto best = drawn.argmax(2).contiguous();  // [B, draws]
        const auto winner = best.accessor<std::int64_t, 2>();
        std::vector<double> wins(out.cols());
        for (std::size_t u = 0; u < out.rows(); ++u) {
            std::ranges::fill(wins, 0.0);
            for (std::int64_t d = 0; d < best.size(1); ++d) {
                wins[static_cast<std::size_t>(winner[static_cast<std::int64_t>(u)][d])] += 1;
            }
            for (std::size_t i = 0; i < wins.size(); ++i) {
                out(u, i) = PosteriorDraws::log_share(wins[i], static_cast<double>(wins.size()));
            }
        }
    }

    BeliefAgentOptions options_;
    std::shared_ptr<BeliefFilterNet> filter_;
    train::Adam::NamedTensors named_;
    std::unique_ptr<train::Adam> adam_;
    std::int64_t adam_step_ = 0;
    at::Tensor normals_;            // [draws, d]
    std::vector<at::Tensor> seen_;  // sessions since the last update
};

std::unique_ptr<Agent> belief_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<BeliefAgent>(context, settings.read<BeliefAgentOptions>());
}

std::size_t session_tokens(const Settings& settings) {
    return static_cast<std::size_t>(settings.read<BeliefAgentOptions>().session_length);
}

}  // namespace

extern const AgentEntry belief{
    .name = "belief",
    .summary =
        "a Gaussian belief of the session with constant knobs: greedy, ucb, thompson, square_cb",
    .facts = AgentFact::learns,
    .options = &describe_options<BeliefAgentOptions>,
    .make = &belief_agent,
    .session_tokens = &session_tokens,
};

}  // namespace hg::policy
