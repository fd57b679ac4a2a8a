// SPDX-License-Identifier: Apache-2.0
// Boltzmann exploration over the items' means, the temperature falling.
#include "policy/item_means.hpp"

namespace hg::policy {
namespace {

struct SoftmaxOptions {
    double temperature = 0.5;
    double final_temperature = 0.01;
    double decay_share = 0.5;

    static void describe(OptionBinder& bind, SoftmaxOptions& o) {
        bind("temperature", o.temperature, "at the start, in rewards", {.min = 1e-6, .max = 1e6});
        bind(
            "final_temperature", o.final_temperature, "after the decay", {.min = 1e-6, .max = 1e6}
        );
        bind(
            "decay_share", o.decay_share, "share of the steps the decay takes", {.min = 0, .max = 1}
        );
    }
};

class SoftmaxAgent final : public ItemMeansAgent {
  public:
    SoftmaxAgent(const AgentContext& context, const SoftmaxOptions& options)
        : ItemMeansAgent(context),
          schedule_{options.temperature, options.final_temperature, options.decay_share},
          temperature_(options.temperature) {}

    void set_progress(double share) override { temperature_ = schedule_.at(share); }

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                out(u, i) = static_cast<float>(mean(seen.item_ids(u, i), 1));
            }
        }
    }

    SlateRule rule(Mode mode) const override {
        return mode == Mode::explore
                   ? SlateRule{.draw = SlateDraw::softmax, .temperature = temperature_}
                   : SlateRule{.draw = SlateDraw::greedy};
    }

  private:
    Schedule schedule_;
    double temperature_;
};

std::unique_ptr<Agent> softmax_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<SoftmaxAgent>(context, settings.read<SoftmaxOptions>());
}

}  // namespace

extern const AgentEntry softmax{
    .name = "softmax",
    .summary = "items in proportion to exp(mean / temperature), the temperature falling",
    .facts = AgentFact::learns | AgentFact::needs_item_ids,
    .options = &describe_options<SoftmaxOptions>,
    .make = &softmax_agent,
};

}  // namespace hg::policy
