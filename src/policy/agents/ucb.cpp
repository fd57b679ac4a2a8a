// SPDX-License-Identifier: Apache-2.0
// UCB1 (Auer et al., 2002): mean + c sqrt(2 ln t / n), every item once first.
#include "policy/item_means.hpp"

#include <cmath>

namespace hg::policy {
namespace {

struct UcbOptions {
    double c = 0.5;

    static void describe(OptionBinder& bind, UcbOptions& o) {
        bind(
            "c",
            o.c,
            "width of the bound, in rewards; 1 = UCB1 for rewards in 0..1",
            {.min = 0, .max = 1e6}
        );
    }
};

class UcbAgent final : public ItemMeansAgent {
  public:
    UcbAgent(const AgentContext& context, const UcbOptions& options)
        : ItemMeansAgent(context), c_(options.c) {}

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) override {
        constexpr double untried = 1e9;
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                const auto item = seen.item_ids(u, i);
                double value = mean(item, mode == Mode::explore ? untried : -untried);
                if (mode == Mode::explore && shown(item) > 0) {
                    value += c_ * std::sqrt(2 * std::log(total_shown()) / shown(item));
                }
                out(u, i) = static_cast<float>(value);
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override { return {.draw = SlateDraw::greedy}; }

  private:
    double c_;
};

std::unique_ptr<Agent> ucb_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<UcbAgent>(context, settings.read<UcbOptions>());
}

}  // namespace

extern const AgentEntry ucb{
    .name = "ucb",
    .summary = "UCB1: the item whose mean may yet be best",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<UcbOptions>,
    .make = &ucb_agent,
};

}  // namespace hg::policy
