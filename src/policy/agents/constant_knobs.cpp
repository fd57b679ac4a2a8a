// SPDX-License-Identifier: Apache-2.0
// The same knobs for everyone, in the world of a served run: what a server without a learned policy
// does, and the row that a policy which looks at the belief (meta_policy with head=knobs) must beat.
#include "policy/belief_summary.hpp"
#include "policy/knobs.hpp"
#include "policy/plackett_luce.hpp"
#include "policy/scored_agent.hpp"
#include "policy/served_items.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace hg::policy {
namespace {

struct ConstantKnobsOptions {
    Knobs knobs;
    std::string schedule = "constant";
    double gamma = 0;

    static void describe(OptionBinder& bind, ConstantKnobsOptions& o) {
        const OptionLimits either{.min = -max_knob, .max = max_knob};
        bind("exploration", o.knobs.exploration, "weight of the belief's uncertainty", either);
        bind("novelty", o.knobs.novelty, "weight of being little known", either);
        bind("content", o.knobs.content, "weight of content like what was liked", either);
        bind(
            "diversity",
            o.knobs.diversity,
            "weight of being unlike the items above, of slates of several",
            {.min = 0, .max = max_knob}
        );
        bind(
            "schedule",
            o.schedule,
            "exploration stays, or falls as 1 / (1 + events of the user)",
            {.choices = {"constant", "inverse"}}
        );
        bind(
            "gamma",
            o.gamma,
            "sharpness of SquareCB, which draws by inverse gaps of the scores; 0 = the best is "
            "shown",
            {.min = 0, .max = 1e6}
        );
    }
};

class ConstantKnobsAgent final : public ScoredAgent {
  public:
    ConstantKnobsAgent(const simulate::EnvironmentFacts& world, ConstantKnobsOptions options)
        : ScoredAgent(world), options_(std::move(options)) {}

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const auto& knobs = options_.knobs;
        for (std::size_t u = 0; u < seen.size(); ++u) {
            const double exploration = options_.schedule == "inverse"
                                           ? knobs.exploration / (1 + events_of(seen.users(u, 0)))
                                           : knobs.exploration;
            for (std::size_t i = 0; i < out.cols(); ++i) {
                const auto item = seen.items.row(u * out.cols() + i);
                const double added = exploration * static_cast<double>(item[1]) +
                                     knobs.novelty * static_cast<double>(item[2]) +
                                     knobs.content * static_cast<double>(item[3]);
                out(u, i) = item[0] + static_cast<float>(added);
            }
            if (knobs.diversity > 0 && shows_directions(world())) {
                diversify_row(seen.items, u * out.cols(), out.row(u));
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override {
        if (options_.gamma > 0) {
            return {.draw = SlateDraw::inverse_gap, .gamma = options_.gamma};
        }
        return {.draw = SlateDraw::greedy};
    }

  private:
    /// Who is chosen gets the score that a server would give, the others less than all of them.
    void diversify_row(MatrixView<const float> items, std::size_t first, std::span<float> scores)
        const {
        const auto pool = static_cast<std::size_t>(PlackettLuceOptions{}.max_candidates);
        auto best = top_k(scores, static_cast<std::size_t>(considered_for) * pool);
        const auto direction = [&](std::size_t place) {
            return items.row(first + best[place].index).subspan(plain_item_size);
        };
        auto chosen = best;
        diversify(options_.knobs.diversity, likeness_by(direction), chosen, pool);
        std::ranges::fill(scores, chosen.back().score - 1);
        for (const auto& one : chosen) {
            scores[one.index] = one.score;
        }
    }

    ConstantKnobsOptions options_;
};

std::unique_ptr<Agent> constant_knobs_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<ConstantKnobsAgent>(
        context.world, settings.read<ConstantKnobsOptions>()
    );
}

}  // namespace

extern const AgentEntry constant_knobs{
    .name = "constant_knobs",
    .summary = "a server's knobs, the same for everyone (worlds served:RUN)",
    .facts = AgentFact::needs_signals,
    .options = &describe_options<ConstantKnobsOptions>,
    .make = &constant_knobs_agent,
};

}  // namespace hg::policy
