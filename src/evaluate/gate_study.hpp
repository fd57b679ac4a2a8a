// SPDX-License-Identifier: Apache-2.0
// gate_study: how often does the gate promote, when we know what is true?
//
// A world of a few contexts and actions with Bernoulli rewards. The incumbent is an epsilon-mixed
// softmax over noisy scores and made the log itself. The candidate keeps half of it and puts the
// other half on a mixture of a good and a bad policy, solved so that its true value is exactly
// (1 + relative_difference) times the incumbent's; so all candidates are equally far from the log
// and only their worth differs. Rewards are predicted by the means of (context, action) in the
// other folds.
//
//   const StudyWorld world{{}};
//   const auto rate = measure_gate(world, {.relative_difference = -0.05, .n_rows = 20'000});
//   rate.promoted <= 0.05 * rate.logs;
#pragma once

#include "core/matrix.hpp"
#include "core/rng.hpp"
#include "evaluate/gate.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hg::evaluate {

struct StudyOptions {
    std::size_t n_contexts = 10;
    std::size_t n_actions = 10;
    double reward_scale = 1;  // 1: about a third of rewards are 1
    double epsilon = 0.2;     // uniform part of the incumbent
    std::uint64_t seed = 1;
};

/// The arrays of a gate, owned.
struct StudyLog {
    std::vector<double> reward, propensity, candidate, q_factual, q_candidate, q_incumbent;
    std::vector<double> supported_mass, uniform;

    [[nodiscard]] GateInput input() const;
};

class StudyWorld {
  public:
    explicit StudyWorld(const StudyOptions& options);

    [[nodiscard]] double incumbent_value() const;
    /// pi(a|x) [contexts, actions]. Throws Error when no mixture is that good or bad.
    [[nodiscard]] Matrix<double> make_candidate(double relative_difference) const;
    /// The true value of a policy, by enumeration.
    [[nodiscard]] double value(MatrixView<const double> policy) const;
    /// A log of the incumbent with everything the gate needs to judge the candidate.
    [[nodiscard]] StudyLog draw_log(
        MatrixView<const double> candidate, std::size_t n_rows, Rng& rng
    ) const;

  private:
    StudyOptions options_;
    Matrix<double> reward_;     // [contexts, actions] true mean
    Matrix<double> incumbent_;  // [contexts, actions]
    Matrix<double> good_;
    Matrix<double> bad_;
};

struct StudyCase {
    double relative_difference = 0;
    std::size_t n_rows = 20'000;
    std::size_t n_logs = 1000;
    std::uint64_t seed = 1;
};

struct StudyRate {
    std::size_t logs = 0;
    std::size_t promoted = 0;
    std::array<std::size_t, 7> reasons{};  // by HoldReason
};

/// Draws the logs and runs the gate on each.
[[nodiscard]] StudyRate measure_gate(
    const StudyWorld& world, const StudyCase& study, const GateOptions& options = {}
);

}  // namespace hg::evaluate
