// SPDX-License-Identifier: Apache-2.0
#include "policy/scored_agent.hpp"

#include <algorithm>

namespace hg::policy {
namespace {

struct NoOptions {
    static void describe(OptionBinder& /*bind*/, NoOptions& /*o*/) {}
};

class RandomAgent final : public ScoredAgent {
  public:
    using ScoredAgent::ScoredAgent;

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        for (std::size_t u = 0; u < seen.size(); ++u) {
            std::ranges::fill(out.row(u), 0.0F);
        }
    }

    SlateRule rule(Mode /*mode*/) const override { return {.draw = SlateDraw::softmax}; }
};

std::unique_ptr<Agent> make_random_agent(const AgentContext& context, const Settings& settings) {
    (void)settings.read<NoOptions>();
    return std::make_unique<RandomAgent>(context.world);
}

}  // namespace

extern const AgentEntry random_agent{
    .name = "random",
    .summary = "every slate alike: the baseline, and the log every other policy can be judged by",
    .facts = AgentFact::none,
    .options = &describe_options<NoOptions>,
    .make = &make_random_agent,
};

}  // namespace hg::policy
