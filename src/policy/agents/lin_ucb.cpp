// SPDX-License-Identifier: Apache-2.0
// LinUCB (Li et al., 2010, algorithm 1 with one regression for all items).
#include "policy/linear_agent.hpp"

#include <cmath>

namespace hg::policy {
namespace {

struct LinUcbOptions {
    LinearOptions linear;
    double alpha = 1;

    static void describe(OptionBinder& bind, LinUcbOptions& o) {
        LinearOptions::describe(bind, o.linear);
        bind(
            "alpha",
            o.alpha,
            "width of the bound in standard deviations of the reward; 0 = greedy",
            {.min = 0, .max = 100}
        );
    }
};

class LinUcbAgent final : public LinearAgent {
  public:
    LinUcbAgent(const AgentContext& context, const LinUcbOptions& options)
        : LinearAgent(context, options.linear), alpha_(options.alpha) {}

  protected:
    void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) override {
        const double width = alpha_ * std::sqrt(noise_variance());
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                const auto x = features(seen, u, i);
                double value = predict(x);
                if (mode == Mode::explore && width > 0) {
                    value += width * std::sqrt(leverage(x));
                }
                out(u, i) = static_cast<float>(value);
            }
        }
    }

    SlateRule rule(Mode /*mode*/) const override { return {.draw = SlateDraw::greedy}; }

  private:
    double alpha_;
};

std::unique_ptr<Agent> lin_ucb_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<LinUcbAgent>(context, settings.read<LinUcbOptions>());
}

}  // namespace

extern const AgentEntry lin_ucb{
    .name = "lin_ucb",
    .summary = "LinUCB: a linear model of the reward, its upper confidence bound shown",
    .facts = AgentFact::learns,
    .options = &describe_options<LinUcbOptions>,
    .make = &lin_ucb_agent,
};

}  // namespace hg::policy
