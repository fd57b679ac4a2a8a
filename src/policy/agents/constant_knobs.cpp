// SPDX-License-Identifier: Apache-2.0
// The same knobs for everyone, in the world of a served run: what a server without a learned policy
// does, and the row that a policy which looks at the belief (meta_policy with head=knobs) must beat.
#include "policy/knob_actor.hpp"
#include "policy/scored_agent.hpp"

#include <fmt/format.h>

namespace hg::policy {
namespace {

struct ConstantKnobsOptions {
    Knobs knobs;

    static void describe(OptionBinder& bind, ConstantKnobsOptions& o) {
        const OptionLimits either{.min = -max_knob, .max = max_knob};
        bind("exploration", o.knobs.exploration, "weight of the belief's uncertainty", either);
        bind("novelty", o.knobs.novelty, "weight of being little known", either);
        bind("content", o.knobs.content, "weight of content like what was liked", either);
    }
};

class ConstantKnobsAgent final : public ScoredAgent {
  public:
    ConstantKnobsAgent(const simulate::EnvironmentFacts& world, const Knobs& knobs)
        : ScoredAgent(world), knobs_(knobs) {}

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        for (std::size_t u = 0; u < seen.size(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                const auto item = seen.items.row(u * out.cols() + i);
                const double added = knobs_.exploration * static_cast<double>(item[1]) +
                                     knobs_.novelty * static_cast<double>(item[2]) +
                                     knobs_.content * static_cast<double>(item[3]);
                out(u, i) = item[0] + static_cast<float>(added);
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override { return {.draw = SlateDraw::greedy}; }

  private:
    Knobs knobs_;
};

std::unique_ptr<Agent> constant_knobs_agent(const AgentContext& context, const Settings& settings) {
    const auto& world = context.world;
    if (world.user_size != BeliefSummary::names.size() || world.item_size != 1 + n_chosen) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "constant_knobs weighs {} numbers of an item, those of this world have {}",
                1 + n_chosen,
                world.item_size
            ),
            "play it in the world of a run: --world served:RUN --set world.data=DIR"
        };
    }
    return std::make_unique<ConstantKnobsAgent>(world, settings.read<ConstantKnobsOptions>().knobs);
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
