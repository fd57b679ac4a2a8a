// SPDX-License-Identifier: Apache-2.0
#include "evaluate/sequential.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hg::evaluate {
namespace {

Result<void> check_steps(const EpisodeSteps& steps, double discount) {
    const auto bad = [](std::string message) {
        return fail(ErrorCode::invalid_argument, std::move(message));
    };
    if (steps.offsets.size() < 2 || steps.offsets.front() != 0 ||
        steps.offsets.back() != steps.reward.size() || steps.ratio.size() != steps.reward.size()) {
        return bad("offsets, reward and ratio are not of the same steps");
    }
    if (!(discount >= 0 && discount <= 1)) {
        return bad(fmt::format("discount is {}, expected 0 .. 1", discount));
    }
    for (std::size_t e = 0; e + 1 < steps.offsets.size(); ++e) {
        if (steps.offsets[e] >= steps.offsets[e + 1]) {
            return bad(fmt::format("episode {} has no steps", e));
        }
    }
    for (std::size_t t = 0; t < steps.reward.size(); ++t) {
        if (!std::isfinite(steps.reward[t]) || !(steps.ratio[t] >= 0) ||
            std::isinf(steps.ratio[t])) {
            return bad(fmt::format(
                "step {}: reward {} and ratio {}, expected finite numbers and a ratio >= 0",
                t,
                steps.reward[t],
                steps.ratio[t]
            ));
        }
    }
    return {};
}

std::size_t n_episodes(const EpisodeSteps& steps) {
    return steps.offsets.size() - 1;
}

/// The mean weight and mean weighted reward of all episodes at one step.
struct StepMeans {
    double weight = 0;
    double reward = 0;
};

/// rho of every step of every episode.
std::vector<double> running_weights(const EpisodeSteps& steps) {
    std::vector<double> weights(steps.ratio.size());
    for (std::size_t e = 0; e < n_episodes(steps); ++e) {
        double weight = 1;
        for (std::size_t t = steps.offsets[e]; t < steps.offsets[e + 1]; ++t) {
            weight *= steps.ratio[t];
            weights[t] = weight;
        }
    }
    return weights;
}

std::size_t longest(const EpisodeSteps& steps) {
    std::size_t length = 0;
    for (std::size_t e = 0; e < n_episodes(steps); ++e) {
        length = std::max(length, steps.offsets[e + 1] - steps.offsets[e]);
    }
    return length;
}

/// The step an episode is weighted by at time t: its last one when it has ended.
std::size_t weighing_step(const EpisodeSteps& steps, std::size_t episode, std::size_t t) {
    return std::min(steps.offsets[episode] + t, steps.offsets[episode + 1] - 1);
}

double reward_at(const EpisodeSteps& steps, std::size_t episode, std::size_t t) {
    const std::size_t step = steps.offsets[episode] + t;
    return step < steps.offsets[episode + 1] ? steps.reward[step] : 0;
}

StepMeans means_at(const EpisodeSteps& steps, std::span<const double> weights, std::size_t t) {
    StepMeans means;
    const auto n = static_cast<double>(n_episodes(steps));
    for (std::size_t e = 0; e < n_episodes(steps); ++e) {
        const double weight = weights[weighing_step(steps, e, t)];
        means.weight += weight / n;
        means.reward += weight * reward_at(steps, e, t) / n;
    }
    return means;
}

}  // namespace

Result<std::vector<double>> per_decision(const EpisodeSteps& steps, double discount) {
    if (auto fine = check_steps(steps, discount); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    std::vector<double> values(n_episodes(steps));
    for (std::size_t e = 0; e < values.size(); ++e) {
        double weight = 1;
        for (std::size_t t = steps.offsets[e]; t < steps.offsets[e + 1]; ++t) {
            weight *= steps.ratio[t];
            values[e] += weight * steps.reward[t];
            weight *= discount;
        }
    }
    return values;
}

Result<std::vector<double>> per_decision_normalised(const EpisodeSteps& steps, double discount) {
    if (auto fine = check_steps(steps, discount); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    const auto weights = running_weights(steps);
    std::vector<double> values(n_episodes(steps));
    double scale = 1;
    for (std::size_t t = 0; t < longest(steps); ++t) {
        const auto means = means_at(steps, weights, t);
        if (!(means.weight > 0)) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("no episode has any weight left at step {}", t),
                "log with more exploration, or judge shorter episodes"
            );
        }
        const double value = means.reward / means.weight;
        for (std::size_t e = 0; e < values.size(); ++e) {
            const double share = weights[weighing_step(steps, e, t)] / means.weight;
            values[e] += scale * (value + share * (reward_at(steps, e, t) - value));
        }
        scale *= discount;
    }
    return values;
}

Result<std::vector<double>> doubly_robust(const EpisodeSteps& steps, double discount) {
    if (auto fine = check_steps(steps, discount); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    if (steps.q_factual.size() != steps.reward.size() ||
        steps.v_policy.size() != steps.reward.size()) {
        return fail(
            ErrorCode::invalid_argument, "doubly robust needs q_factual and v_policy of every step"
        );
    }
    std::vector<double> values(n_episodes(steps));
    for (std::size_t e = 0; e < values.size(); ++e) {
        for (std::size_t t = steps.offsets[e + 1]; t-- > steps.offsets[e];) {
            values[e] =
                steps.v_policy[t] +
                steps.ratio[t] * (steps.reward[t] + discount * values[e] - steps.q_factual[t]);
        }
    }
    return values;
}

Result<std::vector<double>> episode_weights(const EpisodeSteps& steps) {
    if (auto fine = check_steps(steps, 1); !fine) {
        return std::unexpected{std::move(fine.error())};
    }
    std::vector<double> weights;
    const auto running = running_weights(steps);
    for (std::size_t e = 0; e < n_episodes(steps); ++e) {
        weights.push_back(running[steps.offsets[e + 1] - 1]);
    }
    return weights;
}

}  // namespace hg::evaluate
