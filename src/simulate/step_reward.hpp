// SPDX-License-Identifier: Apache-2.0
// StepReward: what one step was worth, as a weighted sum of fixed formulas, set by config.
//
//   event            sum of clicks
//   purchase         sum of purchases
//   log_value        sum of log(1 + value) over clicks
//   preference_gain  p(s') - p(s): how much more the user likes what was shown after having seen it
//   survival         1 where the user stays
//   diversity        mean cosine distance between the items of the slate (0 for one item)
//   novelty          mean self-information of the shown items, in bits: -log2 of their popularity
//   constraint       - max(0, min_share - share of the slate in the protected group)
//
// All weights 0 = the world's own reward. Const-safe.
//
//   const StepReward worth{{.event = 1, .survival = 0.1}};
//   worth(outcome);
#pragma once

#include "core/matrix.hpp"
#include "core/options.hpp"
#include "simulate/environment.hpp"

#include <span>

namespace hg::simulate {

struct RewardOptions {
    double event = 0;
    double purchase = 0;
    double log_value = 0;
    double preference_gain = 0;
    double survival = 0;
    double diversity = 0;
    double novelty = 0;
    double constraint = 0;
    double min_share = 0.2;

    /// No term has a weight.
    [[nodiscard]] bool is_off() const noexcept;

    static void describe(OptionBinder& bind, RewardOptions& o) {
        const OptionLimits weight{.min = -1e6, .max = 1e6};
        bind("event", o.event, "weight of a click", weight);
        bind("purchase", o.purchase, "weight of a purchase, beside its click", weight);
        bind("log_value", o.log_value, "weight of log(1 + value) of a click", weight);
        bind("preference_gain", o.preference_gain, "weight of p(s') - p(s) of the slate", weight);
        bind("survival", o.survival, "weight of the user staying", weight);
        bind("diversity", o.diversity, "weight of the slate's mean cosine distance", weight);
        bind("novelty", o.novelty, "weight of the slate's mean self-information in bits", weight);
        bind("constraint", o.constraint, "price of each missing share of long-tail items", weight);
        bind(
            "min_share",
            o.min_share,
            "share of the slate that the constraint asks for",
            {.min = 0, .max = 1}
        );
    }
};

/// What the formulas look at. Spans follow the slate; empty = not known, the term is 0.
struct StepOutcome {
    std::span<const Response> responses;
    double preference_before = 0;
    double preference_after = 0;
    bool ended = false;
    MatrixView<const float> items;               // [slate, d]
    std::span<const float> self_information;     // bits
    std::span<const std::uint8_t> is_protected;  // 1 = counts for the constraint
};

/// Mean over pairs of 1 - cosine; 0 for fewer than two items.
[[nodiscard]] double slate_diversity(MatrixView<const float> items);

class StepReward {
  public:
    explicit StepReward(const RewardOptions& options) : options_(options) {}

    [[nodiscard]] const RewardOptions& options() const noexcept { return options_; }

    [[nodiscard]] double operator()(const StepOutcome& outcome) const;

  private:
    RewardOptions options_;
};

}  // namespace hg::simulate
