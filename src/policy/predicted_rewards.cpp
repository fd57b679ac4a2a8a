// SPDX-License-Identifier: Apache-2.0
#include "policy/predicted_rewards.hpp"

#include "evaluate/estimator.hpp"
#include "evaluate/reward_model.hpp"

#include <algorithm>
#include <utility>

namespace hg::policy {
namespace {

evaluate::CrossFit fit(
    const JudgedActions& actions, const LoggedRewards& log, std::span<const double> weights
) {
    const std::vector<std::uint32_t> chosen(log.reward.size(), 0);
    const evaluate::DecisionTable table{
        .offsets = actions.offsets,
        .features = {actions.features.data(), actions.features.size() / actions.dim, actions.dim},
        .chosen = chosen,
        .reward = log.reward,
        .units = log.units,
    };
    return value_or_throw(
        evaluate::cross_fit(table, actions.probabilities, {.seed = log.seed}, weights)
    );
}

}  // namespace

void predict_rewards(Judged& judged, const JudgedActions& actions, const LoggedRewards& log) {
    auto plain = fit(actions, log, {});
    judged.q_factual = std::move(plain.q_factual);
    for (std::size_t p = 0; p < judged.policies.size(); ++p) {
        judged.policies[p].q_policy = std::move(plain.q_policy[p]);
    }
    const auto weights = evaluate::mrdr_weights(
        {.reward = log.reward,
         .propensity = log.propensity,
         .target_probability = judged.policies.front().probability}
    );
    if (std::ranges::any_of(weights, [](double w) { return w > 0; })) {
        auto for_mrdr = fit(actions, log, weights);
        judged.mrdr_q_factual = std::move(for_mrdr.q_factual);
        judged.policies.front().mrdr_q_policy = std::move(for_mrdr.q_policy.front());
    }
}

}  // namespace hg::policy
