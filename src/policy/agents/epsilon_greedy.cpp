// SPDX-License-Identifier: Apache-2.0
#include "policy/item_means.hpp"

namespace hg::policy {
namespace {

struct EpsilonGreedyOptions {
    Schedule epsilon{.start = 1, .end = 0.01, .share = 0.3};

    static void describe(OptionBinder& bind, EpsilonGreedyOptions& o) {
        describe_epsilon(bind, o.epsilon, "share of exploration at the start");
    }
};

class EpsilonGreedyAgent final : public ItemMeansAgent {
  public:
    EpsilonGreedyAgent(const AgentContext& context, const EpsilonGreedyOptions& options)
        : ItemMeansAgent(context), schedule_(options.epsilon) {}

    void set_progress(double share) override { epsilon_ = schedule_.at(share); }

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                out(u, i) = static_cast<float>(mean(seen.item_ids(u, i), 0));
            }
        }
    }

    SlateRule rule(Mode mode) const override {
        return {.draw = SlateDraw::greedy, .epsilon = mode == Mode::explore ? epsilon_ : 0};
    }

  private:
    Schedule schedule_;
    double epsilon_ = 1;
};

std::unique_ptr<Agent> epsilon_greedy_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<EpsilonGreedyAgent>(context, settings.read<EpsilonGreedyOptions>());
}

}  // namespace

extern const AgentEntry epsilon_greedy{
    .name = "epsilon_greedy",
    .summary = "the item with the best mean so far, a random one with a falling share",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<EpsilonGreedyOptions>,
    .make = &epsilon_greedy_agent,
};

}  // namespace hg::policy
