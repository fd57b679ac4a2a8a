// SPDX-License-Identifier: Apache-2.0
#include "evaluate/reward_model.hpp"

#include "core/rng.hpp"
#include "evaluate/linear_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace hg::evaluate {
namespace {

std::unexpected<Error> bad(std::string message, std::string hint = {}) {
    return fail(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

Result<void> check_shape(const DecisionTable& table, const RewardModelOptions& options) {
    const std::size_t n = table.size();
    if (table.offsets.size() != n + 1 || table.chosen.size() != n ||
        (!table.units.empty() && table.units.size() != n)) {
        return bad("offsets, chosen, reward and units are not of the same decisions");
    }
    if (table.offsets.back() != table.features.rows() || table.offsets.front() != 0) {
        return bad(fmt::format(
            "features has {} rows, the decisions have {} candidates",
            table.features.rows(),
            table.offsets.back()
        ));
    }
    constexpr std::size_t fewest_folds = 2;
    if (options.n_folds < fewest_folds || n < options.n_folds) {
        return bad(
            fmt::format("{} folds of {} decisions cannot be made", options.n_folds, n),
            "use at least 2 folds and as many decisions as folds"
        );
    }
    return {};
}

Result<void> check_decision(const DecisionTable& table, std::size_t i, RewardModelKind kind) {
    if (table.offsets[i] > table.offsets[i + 1] ||
        table.chosen[i] >= table.offsets[i + 1] - table.offsets[i]) {
        return bad(fmt::format("decision {}: its action is not among its candidates", i));
    }
    const double reward = table.reward[i];
    if (!std::isfinite(reward)) {
        return bad(fmt::format("decision {}: reward is {}, expected a finite number", i, reward));
    }
    if (kind == RewardModelKind::logistic && !(reward >= 0 && reward <= 1)) {
        return bad(
            fmt::format("decision {}: reward is {}, a logistic fit needs [0, 1]", i, reward),
            "use ridge for rewards of any size"
        );
    }
    return {};
}

Result<void> check_numbers(
    const DecisionTable& table,
    std::span<const std::vector<double>> policies,
    std::span<const double> weights
) {
    for (std::size_t pair = 0; pair < table.features.rows(); ++pair) {
        for (const float feature : table.features.row(pair)) {
            if (!std::isfinite(feature)) {
                return bad(fmt::format("candidate {}: a feature is not finite", pair));
            }
        }
    }
    for (const auto& policy : policies) {
        if (policy.size() != table.features.rows()) {
            return bad("a policy has not one probability per candidate");
        }
        if (!std::ranges::all_of(policy, [](double p) { return p >= 0 && p <= 1; })) {
            return bad("a policy has a probability outside [0, 1]");
        }
    }
    if (!weights.empty() && weights.size() != table.size()) {
        return bad("weights are not one per decision");
    }
    if (!std::ranges::all_of(weights, [](double w) { return w >= 0 && std::isfinite(w); })) {
        return bad("a weight is negative or not finite");
    }
    return {};
}

Result<void> check_table(
    const DecisionTable& table,
    std::span<const std::vector<double>> policies,
    const RewardModelOptions& options,
    std::span<const double> weights
) {
    if (auto fine = check_shape(table, options); !fine) {
        return fine;
    }
    for (std::size_t i = 0; i < table.size(); ++i) {
        if (auto fine = check_decision(table, i, options.kind); !fine) {
            return fine;
        }
    }
    return check_numbers(table, policies, weights);
}

/// A unit's fold depends on the seed and the unit alone, so a longer log keeps its folds.
std::vector<std::uint32_t> draw_folds(
    const DecisionTable& table, const RewardModelOptions& options
) {
    const Rng root{options.seed};
    std::vector<std::uint32_t> folds(table.size());
    for (std::size_t i = 0; i < folds.size(); ++i) {
        const std::uint64_t unit = table.units.empty() ? i : table.units[i];
        folds[i] = static_cast<std::uint32_t>(root.split(unit).below(options.n_folds));
    }
    return folds;
}

/// The logged actions, fold by fold.
std::vector<std::vector<FitRow>> rows_by_fold(
    const DecisionTable& table,
    std::span<const std::uint32_t> folds,
    std::size_t n_folds,
    std::span<const double> weights
) {
    std::vector<std::vector<FitRow>> rows(n_folds);
    for (std::size_t i = 0; i < table.size(); ++i) {
        rows[folds[i]].push_back({
            .features = table.features.row(table.offsets[i] + table.chosen[i]),
            .target = table.reward[i],
            .weight = weights.empty() ? 1 : weights[i],
        });
    }
    return rows;
}

std::vector<std::vector<double>> fit_folds(
    const std::vector<std::vector<FitRow>>& rows,
    std::size_t n_features,
    const RewardModelOptions& options
) {
    std::vector<NormalEquations> sums;
    for (const auto& fold : rows) {
        sums.push_back(sum_rows(fold, n_features));
    }
    std::vector<std::vector<double>> coefficients;
    for (std::size_t fold = 0; fold < rows.size(); ++fold) {
        // Not all less one: beside a huge weight nothing is left.
        NormalEquations others{n_features};
        for (std::size_t other = 0; other < rows.size(); ++other) {
            if (other != fold) {
                others += sums[other];
            }
        }
        const auto penalty = scaled_penalty(others, options.l2);
        if (options.kind == RewardModelKind::ridge) {
            coefficients.push_back(solve_ridge(others, penalty));
            continue;
        }
        std::vector<FitRow> train;
        for (std::size_t other = 0; other < rows.size(); ++other) {
            if (other != fold) {
                train.insert(train.end(), rows[other].begin(), rows[other].end());
            }
        }
        coefficients.push_back(fit_logistic(train, penalty, options.max_iterations));
    }
    return coefficients;
}

}  // namespace

Result<CrossFit> cross_fit(
    const DecisionTable& table,
    std::span<const std::vector<double>> policies,
    const RewardModelOptions& options,
    std::span<const double> weights
) {
    if (auto fine = check_table(table, policies, options, weights); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    CrossFit fit{
        .q_factual = std::vector<double>(table.size()), .fold = draw_folds(table, options)
    };
    const auto rows = rows_by_fold(table, fit.fold, options.n_folds, weights);
    if (std::ranges::any_of(rows, [&](const auto& fold) { return fold.size() == table.size(); })) {
        return bad("all decisions are of one fold", "use more units or another seed");
    }
    fit.coefficients = fit_folds(rows, table.features.cols(), options);
    fit.q_policy.assign(policies.size(), std::vector<double>(table.size()));
    for (std::size_t i = 0; i < table.size(); ++i) {
        const auto& coefficients = fit.coefficients[fit.fold[i]];
        for (std::size_t pair = table.offsets[i]; pair < table.offsets[i + 1]; ++pair) {
            const double score = linear(coefficients, table.features.row(pair));
            const double q = options.kind == RewardModelKind::logistic ? sigmoid(score) : score;
            if (pair == table.offsets[i] + table.chosen[i]) {
                fit.q_factual[i] = q;
            }
            for (std::size_t p = 0; p < policies.size(); ++p) {
                fit.q_policy[p][i] += policies[p][pair] * q;
            }
        }
    }
    return fit;
}

}  // namespace hg::evaluate
