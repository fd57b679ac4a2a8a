// SPDX-License-Identifier: Apache-2.0
// ScoredAgent: an agent that is a row of scores and a slate rule; what most agents derive from.
#pragma once

#include "policy/agent.hpp"
#include "policy/slate_rule.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace hg::policy {

class ScoredAgent : public Agent {
  public:
    explicit ScoredAgent(const simulate::EnvironmentFacts& world) : world_(world) {}

    void act(const ObservationBatch& seen, Mode mode, Rng& rng, DecisionBatch& out) override;
    void propensities(
        const ObservationBatch& seen,
        Mode mode,
        MatrixView<const std::uint32_t> slates,
        MatrixView<double> out
    ) override;

  protected:
    /// out: [B, n_candidates].
    virtual void score(const ObservationBatch& seen, Mode mode, MatrixView<float> out) = 0;
    [[nodiscard]] virtual SlateRule rule(Mode mode) const = 0;

    [[nodiscard]] const simulate::EnvironmentFacts& world() const noexcept { return world_; }

  private:
    MatrixView<const float> scores(const ObservationBatch& seen, Mode mode);

    simulate::EnvironmentFacts world_;
    SlateDrawer drawer_{{}};
    Matrix<float> scores_;
};

/// From start to end over the first `share` of the step budget, then constant.
struct Schedule {
    double start = 1;
    double end = 0;
    double share = 1;

    [[nodiscard]] double at(double progress) const noexcept {
        const double t = share > 0 ? progress / share : 1;
        return t >= 1 ? end : start + (end - start) * t;
    }
};

/// The options of a share of exploration that falls; `help` says what of the first.
inline void describe_epsilon(OptionBinder& bind, Schedule& o, std::string_view help) {
    bind("epsilon", o.start, help, {.min = 0, .max = 1});
    bind("final_epsilon", o.end, "and after the decay", {.min = 0, .max = 1});
    bind("decay_share", o.share, "share of the steps the decay takes", {.min = 0, .max = 1});
}

/// visit(user, candidate, share) for every shown item: its share of the slate's reward, which is
/// split evenly over the clicked slots, over all where none was clicked.
template <typename Visit>
void for_each_credit(const TransitionBatch& step, const Visit& visit) {
    for (std::size_t u = 0; u < step.before.size(); ++u) {
        const auto slate = step.decisions.slates.row(u);
        const auto responses = step.responses.row(u);
        const auto clicks =
            static_cast<double>(std::ranges::count_if(responses, &simulate::Response::clicked));
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const double share = clicks > 0 ? (responses[slot].clicked ? 1 / clicks : 0)
                                            : 1 / static_cast<double>(slate.size());
            visit(u, slate[slot], share);
        }
    }
}

}  // namespace hg::policy
