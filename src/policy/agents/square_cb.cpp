// SPDX-License-Identifier: Apache-2.0
// SquareCB (Foster and Rakhlin, 2020): inverse gap weighting over a regression of the reward, with
// gamma_t = gamma_scale * t^gamma_exponent / (standard deviation of the reward).
#include "policy/linear_agent.hpp"

#include <cmath>

namespace hg::policy {
namespace {

struct SquareCbOptions {
    LinearOptions linear;
    double gamma_scale = 10;
    double gamma_exponent = 0.5;

    static void describe(OptionBinder& bind, SquareCbOptions& o) {
        LinearOptions::describe(bind, o.linear);
        bind("gamma_scale", o.gamma_scale, "greed at the start", {.min = 0, .max = 1e6});
        bind("gamma_exponent", o.gamma_exponent, "how greed grows", {.min = 0, .max = 1});
    }
};

class SquareCbAgent final : public LinearAgent {
  public:
    SquareCbAgent(const AgentContext& context, const SquareCbOptions& options)
        : LinearAgent(context, options.linear), options_(options) {}

  protected:
    void score(const ObservationBatch& seen, Mode /*mode*/, MatrixView<float> out) override {
        for (std::size_t u = 0; u < out.rows(); ++u) {
            for (std::size_t i = 0; i < out.cols(); ++i) {
                out(u, i) = static_cast<float>(predict(features(seen, u, i)));
            }
        }
    }

    SlateRule rule(Mode mode) const override {
        if (mode == Mode::exploit) {
            return {.draw = SlateDraw::greedy};
        }
        return {
            .draw = SlateDraw::inverse_gap,
            .gamma = options_.gamma_scale * std::pow(1 + n_rows(), options_.gamma_exponent) /
                     std::sqrt(noise_variance()),
        };
    }

  private:
    SquareCbOptions options_;
};

std::unique_ptr<Agent> square_cb_agent(const AgentContext& context, const Settings& settings) {
    return std::make_unique<SquareCbAgent>(context, settings.read<SquareCbOptions>());
}

}  // namespace

extern const AgentEntry square_cb{
    .name = "square_cb",
    .summary = "SquareCB: items the less often the further their predicted reward is from the best",
    .facts = AgentFact::learns,
    .options = &describe_options<SquareCbOptions>,
    .make = &square_cb_agent,
};

}  // namespace hg::policy
