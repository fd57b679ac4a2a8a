// SPDX-License-Identifier: Apache-2.0
// Knobs: the handful of weights by which a policy departs from the ranker's own order.
//
//   score' = score + sd * (exploration * z(sqrt(v' C v)) + novelty * z(-log popularity)
//                          + content * z(similarity to what was liked))
//
// sd and z are over the candidates, so a knob means the same under every ranker: 1 = one standard
// deviation of the signal weighs as much as one of the score. All knobs at 0 leave order and scores
// exactly as they were (greedy). Diversity takes from an item its likeness to those ranked above
// it, once, before the slate is drawn; so propensities follow from the logged scores alone.
//
// Who chooses them is a KnobPolicy: constants, or an actor that looks at the belief.
//
//   const Knobs knobs = policy.choose(state);
//   apply(knobs, signals, candidates, 200);        // the best 200 by the new scores
//   diversify(knobs.diversity, likeness_of, candidates, 50);
#pragma once

#include "core/dot.hpp"
#include "core/options.hpp"
#include "core/top_k.hpp"
#include "policy/belief.hpp"
#include "policy/belief_summary.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::policy {

struct Knobs {
    double exploration = 0;  // alpha: of the standardised uncertainty
    double novelty = 0;      // of being little known
    double content = 0;      // of the likeness of content to what was liked
    double diversity = 0;    // of the likeness to the items above, >= 0

    friend bool operator==(const Knobs&, const Knobs&) = default;

    static void describe(OptionBinder& bind, Knobs& o);
};

/// Bounds of every knob; diversity starts at 0.
constexpr double max_knob = 5;

/// "knobs(exploration=0.3,novelty=0,content=0,diversity=0)", for the version of a policy.
[[nodiscard]] std::string to_text(const Knobs& knobs);
/// Of what to_text() wrote; nothing where it is another text.
[[nodiscard]] std::optional<Knobs> parse_knobs(std::string_view text);

/// What may decide the knobs: the meta-policy's view of a user. Borrowed.
struct KnobState {
    const Belief* belief = nullptr;  // mean, covariance and counters; null where there is none
    std::optional<BeliefSummary> summary{};  // nothing where there is no belief
};

/// Chooses the knobs of one request. Const-safe; called once a slate, so it must take microseconds.
class KnobPolicy {
  public:
    KnobPolicy() = default;
    KnobPolicy(const KnobPolicy&) = delete;
    KnobPolicy& operator=(const KnobPolicy&) = delete;
    KnobPolicy(KnobPolicy&&) = delete;
    KnobPolicy& operator=(KnobPolicy&&) = delete;
    virtual ~KnobPolicy() = default;

    [[nodiscard]] virtual Knobs choose(const KnobState& state) const = 0;

    /// For people: "constant", "meta_policy meta@0123456789ab".
    [[nodiscard]] virtual std::string_view name() const = 0;

    /// Of what chooses, for the log: letters, digits and -_.@; empty where the knobs say it all.
    [[nodiscard]] virtual std::string_view version() const { return {}; }

    /// Whether it needs a belief to choose well.
    [[nodiscard]] virtual bool reads_belief() const { return false; }
};

/// The same knobs for everyone.
class ConstantKnobs final : public KnobPolicy {
  public:
    explicit ConstantKnobs(const Knobs& knobs = {}) : knobs_(knobs) {}

    [[nodiscard]] Knobs choose(const KnobState& /*state*/) const override { return knobs_; }

    [[nodiscard]] std::string_view name() const override { return "constant"; }

  private:
    Knobs knobs_;
};

/// What the knobs weigh, of one candidate, on any scale: apply() standardises.
struct Signals {
    float uncertainty = 0;
    float novelty = 0;
    float content = 0;
};

/// In units of their deviation over the candidates, from their mean; 0 where all are equal. Of the
/// scores too, where they stand beside.
[[nodiscard]] std::vector<Signals> standardise(std::span<const Signals> signals);
[[nodiscard]] std::vector<float> standardise(std::span<const Scored> candidates);

/// Adds the weighted signals and keeps the best `count`, best first; ties keep their order.
/// `signals`: one per candidate; may be empty when the three knobs are 0. Diversity is not looked at.
void apply(
    const Knobs& knobs,
    std::span<const Signals> signals,
    std::vector<Scored>& candidates,
    std::size_t count
);

/// Fills the likeness of the candidate at this place of the list to all of the list, in [-1, 1].
using LikenessOf = std::function<void(std::size_t place, std::span<float> out)>;

/// By the dot products of directions: direction_of(place) -> span of floats of length 1 or 0, which outlive the call
/// that this is made for.
template <class DirectionOf>
[[nodiscard]] LikenessOf likeness_by(DirectionOf direction_of) {
    return [direction_of](std::size_t place, std::span<float> out) {
        const auto own = direction_of(place);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = dot(direction_of(i), own);
        }
    };
}

/// Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): places are chosen one by one by
/// score - unit * (largest likeness to those chosen before, 0 where it is less), `count` of them, which are
/// returned in this order. `likeness`, beside the scores, becomes that of each to those before it; of who is not
/// chosen, to all who are.
std::vector<std::size_t> diverse_order(
    std::span<const float> scores,
    double unit,
    const LikenessOf& likeness_of,
    std::size_t count,
    std::span<float> likeness
);

/// Of so many times the wanted ones diversity takes its pick: who is further down has too much likeness to
/// make up for.
constexpr std::int64_t considered_for = 4;

/// The first `count` in that order, unit = weight * sd, with score - unit * likeness as their scores, which fall
/// from one to the next. The rest is dropped. `likeness_of` speaks of the places before the call.
void diversify(
    double weight, const LikenessOf& likeness_of, std::vector<Scored>& candidates, std::size_t count
);

}  // namespace hg::policy
