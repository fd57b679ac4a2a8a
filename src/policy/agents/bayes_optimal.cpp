// SPDX-License-Identifier: Apache-2.0
// The Bayes-optimal policy of the small bandit worlds (policy/bayes_optimal.hpp), as an agent: it
// learns nothing, it knows the prior, and nobody does better on average. What learners are measured by.
#include "policy/bayes_optimal.hpp"

#include "policy/scored_agent.hpp"
#include "policy/session_tokens.hpp"
#include "simulate/worlds/typed_bandit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hg::policy {
namespace {

struct BayesOptimalOptions {
    std::string prior = "uniform";
    simulate::TypedBanditOptions types;

    static void describe(OptionBinder& bind, BayesOptimalOptions& o) {
        bind(
            "prior",
            o.prior,
            "uniform: of bernoulli_bandit between 0 and 1; types: of typed_bandit, with its "
            "options",
            {.choices = {"uniform", "types"}}
        );
        simulate::TypedBanditOptions::describe(bind, o.types);
    }
};

BayesOptimal::Prior prior_of(const BayesOptimalOptions& options, std::size_t n_arms) {
    if (options.prior == "uniform") {
        return UniformArms{n_arms};
    }
    auto truth = simulate::typed_bandit_truth(options.types);
    return TypedArms{std::move(truth.click), std::move(truth.type_share)};
}

class BayesOptimalAgent final : public ScoredAgent {
  public:
    BayesOptimalAgent(const AgentContext& context, const BayesOptimalOptions& options)
        : ScoredAgent(context.world),
          optimum_(prior_of(options, context.world.n_items), context.world.step_limit) {
        if (optimum_.n_arms() != context.world.n_items) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "bayes_optimal knows {} arms and the world has {}",
                    optimum_.n_arms(),
                    context.world.n_items
                ),
                "give it the options of the world"
            };
        }
    }

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const auto n = out.cols();
        for (std::size_t u = 0; u < seen.size(); ++u) {
            std::ranges::fill(out.row(u), 0.0F);
            out(u, optimum_.best_arm(counts_of(seen, u, n))) = 1;
        }
    }

    SlateRule rule(Mode /*mode*/) const override { return {.draw = SlateDraw::greedy}; }

  private:
    /// Items are told apart by their numbers, which is all a token keeps of them.
    [[nodiscard]] std::vector<ArmCounts> counts_of(
        const ObservationBatch& seen, std::size_t u, std::size_t n
    ) const {
        std::vector<ArmCounts> counts(n);
        const auto token_size = SessionTokens::token_size(world());
        const auto n_numbers = world().item_size;
        const auto session = seen.sessions.row(u);
        for (std::size_t at = 0; at < session.size(); at += token_size) {
            const auto token = session.subspan(at, token_size);
            const bool is_taken = token[n_numbers + SessionTokens::n_marks - 1] != 0;
            if (!is_taken) {
                continue;
            }
            for (std::size_t i = 0; i < n; ++i) {
                if (std::ranges::equal(token.first(n_numbers), seen.items.row(u * n + i))) {
                    auto& arm = counts[i];
                    ++(token[n_numbers] > 0 ? arm.won : arm.lost);
                    break;
                }
            }
        }
        return counts;
    }

    BayesOptimal optimum_;
};

constexpr std::size_t longest = 255;

std::unique_ptr<Agent> bayes_optimal_agent(const AgentContext& context, const Settings& settings) {
    const auto& world = context.world;
    if (world.n_items == 0 || world.step_limit == 0 || world.step_limit > longest) {
        throw Error{
            ErrorCode::invalid_argument,
            "bayes_optimal solves worlds of a few lasting items and at most 255 steps",
            "play it in bernoulli_bandit (redraw=episode) or typed_bandit with a step_limit"
        };
    }
    return std::make_unique<BayesOptimalAgent>(context, settings.read<BayesOptimalOptions>());
}

std::size_t session_tokens(const Settings& /*settings*/) {
    return longest;
}

}  // namespace

extern const AgentEntry bayes_optimal{
    .name = "bayes_optimal",
    .summary =
        "the optimum of bernoulli_bandit and typed_bandit by dynamic programming over beliefs",
    .facts = AgentFact::needs_item_ids | AgentFact::needs_one_slot,
    .options = &describe_options<BayesOptimalOptions>,
    .make = &bayes_optimal_agent,
    .session_tokens = &session_tokens,
};

}  // namespace hg::policy
