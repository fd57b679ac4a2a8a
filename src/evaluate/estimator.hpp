// SPDX-License-Identifier: Apache-2.0
// estimator: the value a policy would have had on a log that another policy made.
//
// An estimator is a file of estimators/ and a line in estimators/builtin.def. It says what it needs
// and gives what each row contributes, so that every interval (intervals.hpp) works for all of
// them. All inputs are arrays with one entry per row of the log: no dense [rows, actions] matrix.
//
// w = target_probability / propensity, r = reward, q = predicted reward. Equal to Open Bandit
// Pipeline 0.5.5 (Saito et al., 2021) to 1e-12; it clips the weight, not the propensity, and so do
// we. Equations and when to trust which: docs/concepts/off_policy.md.
//
//   HG_TRY(const auto dr, contribute(find_estimator("dr"), rows));
//   dr.value();                                              // the estimate
//   t_interval(dr.influence());                              // its interval
#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hg::evaluate {

/// A log and one policy to judge, one entry per row. Spans an estimator does not need may be empty.
struct LoggedRows {
    std::span<const double> reward;
    std::span<const double> propensity;          // of the logged action, in (0, 1]
    std::span<const double> target_probability;  // the judged policy's, of the same action
    std::span<const double> q_factual{};         // predicted reward of the logged action
    std::span<const double> q_policy{};          // sum_a pi(a|x) q(x, a)
    std::span<const double> mrdr_q_factual{};    // the same from a fit for mrdr (mrdr_weights)
    std::span<const double> mrdr_q_policy{};

    [[nodiscard]] std::size_t size() const noexcept { return reward.size(); }
};

/// Facts as a bit set.
enum class Need : std::uint8_t {
    none = 0,
    weights = 1U << 0U,  // propensity and target_probability
    q = 1U << 1U,        // q_factual and q_policy
    mrdr_q = 1U << 2U,   // mrdr_q_factual and mrdr_q_policy
};

[[nodiscard]] constexpr Need operator|(Need a, Need b) noexcept {
    return static_cast<Need>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

[[nodiscard]] constexpr bool has(Need needs, Need wanted) noexcept {
    return (static_cast<unsigned>(needs) & static_cast<unsigned>(wanted)) != 0;
}

/// value = mean(base) + mean(numerator) / mean(denominator); the ratio is absent (both empty) in
/// estimators that are plain means.
struct Contributions {
    std::vector<double> base;
    std::vector<double> numerator{};
    std::vector<double> denominator{};

    [[nodiscard]] bool is_ratio() const noexcept { return !denominator.empty(); }

    [[nodiscard]] double value() const;
    /// base + numerator / mean(denominator): what Open Bandit Pipeline resamples.
    [[nodiscard]] std::vector<double> rounds() const;
    /// The linearised rows (delta method): their mean is value(), their variance is that of the
    /// estimator with the uncertainty of the denominator in it.
    [[nodiscard]] std::vector<double> influence() const;
};

/// The one number an estimator may have, its default and what it does.
struct EstimatorParameter {
    std::string_view name;  // empty = none
    std::string_view help;
    double initial = std::numeric_limits<double>::infinity();
    double min = 0;
    double max = std::numeric_limits<double>::infinity();
};

struct EstimatorEntry {
    std::string_view name;
    std::string_view summary;
    Need needs = Need::weights;
    EstimatorParameter parameter;
    /// Rows have been checked.
    Contributions (*rows)(const LoggedRows& log, double parameter);
};

/// All estimators, in the order of estimators/builtin.def.
[[nodiscard]] std::span<const EstimatorEntry* const> estimators();

/// Throws Error with the known names.
[[nodiscard]] const EstimatorEntry& find_estimator(std::string_view name);

/// Fails, naming the row, when an array is missing or of another length, a propensity is not in
/// (0, 1], a probability not in [0, 1] or a number is not finite.
[[nodiscard]] Result<void> check_rows(const LoggedRows& log, Need needs);

/// check_rows and the entry's own rows; `parameter` left out = its default. Fails also where the
/// judged policy never takes a logged action and the estimator divides by its weight.
[[nodiscard]] Result<Contributions> contribute(
    const EstimatorEntry& entry, const LoggedRows& log, std::optional<double> parameter = {}
);

/// w per row.
[[nodiscard]] std::vector<double> importance_weights(const LoggedRows& log);

/// The sample weights of a reward model for mrdr: w^2 (1 - propensity) (Farajtabar, Chow and
/// Ghavamzadeh, 2018, the diagonal of Omega; equal to their eq. 12 where the judged policy is
/// deterministic).
[[nodiscard]] std::vector<double> mrdr_weights(const LoggedRows& log);

}  // namespace hg::evaluate
