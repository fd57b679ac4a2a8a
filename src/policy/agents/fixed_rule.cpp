// SPDX-License-Identifier: Apache-2.0
// A static rule: items ranked by one of their numbers, or by their id, whoever the user is. Knows
// what it is told; the row a learner must come near ("show the topics of highest quality").
#include "policy/scored_agent.hpp"

#include <fmt/format.h>

namespace hg::policy {
namespace {

struct FixedRuleOptions {
    std::int64_t feature = -1;
    bool descending = true;
    double epsilon = 0;

    static void describe(OptionBinder& bind, FixedRuleOptions& o) {
        bind(
            "feature",
            o.feature,
            "rank by this number of the item; -1 = by the item's id",
            {.min = -1, .max = 1e6}
        );
        bind("descending", o.descending, "the largest first");
        bind("epsilon", o.epsilon, "share of uniform exploration per slot", {.min = 0, .max = 1});
    }
};

class FixedRuleAgent final : public ScoredAgent {
  public:
    FixedRuleAgent(const simulate::EnvironmentFacts& world, const FixedRuleOptions& options)
        : ScoredAgent(world), options_(options) {
        if (options.feature >= static_cast<std::int64_t>(world.item_size)) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format(
                    "feature={} but the items of this world have {} numbers",
                    options.feature,
                    world.item_size
                ),
                "count from 0, or rank by id with feature=-1"
            };
        }
    }

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        const float sign = options_.descending ? 1.0F : -1.0F;
        for (std::size_t u = 0; u < seen.size(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                out(u, i) =
                    sign * (options_.feature < 0
                                ? static_cast<float>(seen.item_ids(u, i))
                                : seen.items(
                                      u * out.cols() + i, static_cast<std::size_t>(options_.feature)
                                  ));
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override {
        return {.draw = SlateDraw::greedy, .epsilon = options_.epsilon};
    }

  private:
    FixedRuleOptions options_;
};

std::unique_ptr<Agent> fixed_rule_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<FixedRuleAgent>(context.world, settings.read<FixedRuleOptions>());
}

}  // namespace

extern const AgentEntry fixed_rule{
    .name = "fixed_rule",
    .summary = "a static rule: items ranked by one of their numbers or by id",
    .facts = AgentFact::none,
    .options = &describe_options<FixedRuleOptions>,
    .make = &fixed_rule_agent,
};

}  // namespace hg::policy
