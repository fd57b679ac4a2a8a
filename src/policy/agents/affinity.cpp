// SPDX-License-Identifier: Apache-2.0
// What the user likes now: the items nearest to the user's numbers. A baseline that plans nothing
// and learns nothing.
#include "policy/scored_agent.hpp"

#include <algorithm>
#include <numeric>

namespace hg::policy {
namespace {

struct AffinityOptions {
    double epsilon = 0;

    static void describe(OptionBinder& bind, AffinityOptions& o) {
        bind("epsilon", o.epsilon, "share of uniform exploration per slot", {.min = 0, .max = 1});
    }
};

class AffinityAgent final : public ScoredAgent {
  public:
    AffinityAgent(const simulate::EnvironmentFacts& world, const AffinityOptions& options)
        : ScoredAgent(world), options_(options) {}

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const auto n = out.cols();
        for (std::size_t u = 0; u < seen.size(); ++u) {
            const auto user = seen.users.row(u);
            for (std::size_t i = 0; i < n; ++i) {
                const auto item = seen.items.row(u * n + i);
                const auto d = static_cast<std::ptrdiff_t>(std::min(user.size(), item.size()));
                out(u, i) = std::inner_product(user.begin(), user.begin() + d, item.begin(), 0.0F);
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override {
        return {.draw = SlateDraw::greedy, .epsilon = options_.epsilon};
    }

  private:
    AffinityOptions options_;
};

std::unique_ptr<Agent> affinity_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<AffinityAgent>(context.world, settings.read<AffinityOptions>());
}

}  // namespace

extern const AgentEntry affinity{
    .name = "affinity",
    .summary = "greedy: the items nearest to the user's numbers; learns nothing",
    .facts = AgentFact::none,
    .options = &describe_options<AffinityOptions>,
    .make = &affinity_agent,
};

}  // namespace hg::policy
