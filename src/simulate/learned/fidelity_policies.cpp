// SPDX-License-Identifier: Apache-2.0
// Fixed policies, valued by the log and by the world: does the world put them in the same order?
//
// In an impression log the value is the self-normalised inverse-propensity mean of the reward of
// unused sequences (Swaminathan and Joachims, 2015) under a Plackett-Luce choice by z-scored scores
// at temperature 1/2, so that weights stay small; the world is played by the same choice. A dataset
// has no propensities: there the value is how often the policy's first item, of the one taken and
// its negatives, is the one taken; the world is played greedily.
#include "simulate/learned/fidelity_parts.hpp"
#include "simulate/learned/learned_world.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

namespace hg::simulate {
namespace {

constexpr double temperature = 0.5;

struct ItemCounts {
    double shown = 0;
    double clicks = 0;
};

using Score = std::function<
    double(std::span<const float> user, std::span<const float> item, std::uint32_t id)>;

struct FixedPolicy {
    std::string name;
    Score score;
};

double likeness(std::span<const float> user, std::span<const float> item) {
    double dot = 0;
    for (std::size_t i = 0; i < std::min(user.size(), item.size()); ++i) {
        dot += static_cast<double>(user[i]) * static_cast<double>(item[i]);
    }
    return dot;
}

/// Ridge of clicks on the features of the item.
Eigen::VectorXd linear_weights(const FidelityInput& in) {
    const auto n = static_cast<Eigen::Index>(in.table.item_rows.cols());
    Eigen::MatrixXd a = Eigen::MatrixXd::Identity(n + 1, n + 1);
    Eigen::VectorXd b = Eigen::VectorXd::Zero(n + 1);
    Eigen::VectorXd x = Eigen::VectorXd::Ones(n + 1);
    for (const auto s : in.split.train) {
        for (const auto d : in.table.decisions(s)) {
            for (const auto& slot : in.table.slots_of(d)) {
                std::ranges::copy(in.table.item_rows.row(slot.item), x.begin());
                a.selfadjointView<Eigen::Lower>().rankUpdate(x);
                b += slot.clicked ? x : Eigen::VectorXd::Zero(n + 1);
            }
        }
    }
    return a.selfadjointView<Eigen::Lower>().ldlt().solve(b);
}

std::vector<FixedPolicy> fixed_policies(const FidelityInput& in) {
    auto counts = std::make_shared<std::map<std::uint32_t, ItemCounts>>();
    for (const auto s : in.split.train) {
        for (const auto d : in.table.decisions(s)) {
            for (const auto& slot : in.table.slots_of(d)) {
                auto& count = (*counts)[in.table.item_ids[slot.item]];
                count.shown += 1;
                count.clicks += slot.clicked ? 1 : 0;
            }
        }
    }
    const auto clicks = [counts](auto, auto, std::uint32_t id) { return (*counts)[id].clicks; };
    const auto rate = [counts](auto, auto, std::uint32_t id) {
        const auto& count = (*counts)[id];
        return (count.clicks + 1) / (count.shown + 10);
    };
    const auto like = [](auto user, auto item, std::uint32_t) { return likeness(user, item); };
    const auto w = linear_weights(in);
    const auto line = [w](auto, std::span<const float> item, std::uint32_t) {
        double sum = w(w.size() - 1);
        for (std::size_t j = 0; j < item.size(); ++j) {
            sum += w(static_cast<Eigen::Index>(j)) * static_cast<double>(item[j]);
        }
        return sum;
    };
    const auto minus = [](Score score) -> Score {
        return [score](auto user, auto item, std::uint32_t id) { return -score(user, item, id); };
    };
    return {
        {"random", [](auto, auto, std::uint32_t) { return 0.0; }},
        {"most clicked", clicks},
        {"least clicked", minus(clicks)},
        {"click rate", rate},
        {"linear in the item", line},
        {"like the user", like},
        {"unlike the user", minus(like)},
    };
}

/// z-scores by temperature; all 0 where all are equal.
std::vector<double> logits(std::vector<double> scores) {
    const auto n = static_cast<double>(scores.size());
    const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / n;
    double squares = 0;
    for (const double s : scores) {
        squares += (s - mean) * (s - mean) / n;
    }
    const double sd = std::sqrt(squares);
    for (double& s : scores) {
        s = sd > 1e-12 ? (s - mean) / sd / temperature : 0;
    }
    return scores;
}

/// P(slots in this order) of a Plackett-Luce choice.
double slate_chance(const std::vector<double>& utilities, std::span<const std::uint32_t> slots) {
    double total = 0;
    for (const double u : utilities) {
        total += std::exp(u);
    }
    double chance = 1;
    for (const auto place : slots) {
        const double weight = std::exp(utilities[place]);
        chance *= weight / total;
        total -= weight;
    }
    return chance;
}

struct Estimate {
    double value = 0;
    double error = 0;  // standard
};

Estimate self_normalised(const std::vector<std::pair<double, double>>& rewards) {
    double total = 0;
    Estimate estimate;
    for (const auto& [weight, reward] : rewards) {
        total += weight;
        estimate.value += weight * reward;
    }
    if (total <= 0) {
        return {};
    }
    estimate.value /= total;
    for (const auto& [weight, reward] : rewards) {
        estimate.error += std::pow(weight * (reward - estimate.value) / total, 2);
    }
    estimate.error = std::sqrt(estimate.error);
    return estimate;
}

Estimate log_value(const FidelityInput& in, const FixedPolicy& policy) {
    std::vector<std::pair<double, double>> rewards;  // weight, reward
    for (const auto* part : {&in.split.test, &in.split.validation}) {
        for (const auto s : *part) {
            for (const auto d : in.table.decisions(s)) {
                const auto candidates = in.table.candidates_of(d);
                std::vector<double> scores;
                for (const auto row : candidates) {
                    scores.push_back(policy.score(
                        in.table.users.row(d), in.table.item_rows.row(row), in.table.item_ids[row]
                    ));
                }
                const auto places = shown_places(in.table, d);
                const double weight =
                    slate_chance(logits(std::move(scores)), places) / in.table.propensity[d];
                rewards.emplace_back(weight, static_cast<double>(in.table.reward[d]));
            }
        }
    }
    return self_normalised(rewards);
}

Estimate hit_rate(const FidelityInput& in, const FixedPolicy& policy) {
    std::vector<std::pair<double, double>> hits;
    for (const auto s : in.split.test) {
        for (const auto d : in.table.decisions(s)) {
            const auto slots = in.table.slots_of(d);
            std::vector<double> scores;
            for (const auto& slot : slots) {
                scores.push_back(policy.score(
                    in.table.users.row(d),
                    in.table.item_rows.row(slot.item),
                    in.table.item_ids[slot.item]
                ));
            }
            const auto above =
                std::ranges::count_if(scores, [&](double x) { return x > scores[0]; });
            const auto equal = std::ranges::count(scores, scores[0]);
            hits.emplace_back(1.0, above == 0 ? 1 / static_cast<double>(equal) : 0.0);
        }
    }
    return self_normalised(hits);
}

std::vector<std::uint32_t> choose(
    const LearnedWorld& world, const FixedPolicy& policy, bool greedy, Rng& rng
) {
    const auto seen = world.observe();
    const auto size = world.model().facts.shape.item_size;
    std::vector<double> scores;
    for (std::size_t c = 0; c < seen.items.rows(); ++c) {
        scores.push_back(policy.score(seen.user, seen.items.row(c).first(size), seen.item_ids[c]));
    }
    auto utilities = logits(std::move(scores));
    for (double& u : utilities) {
        u = greedy ? u + 1e-6 * rng.uniform() : u + rng.gumbel();
    }
    std::vector<std::uint32_t> order(utilities.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::uint32_t c) {
        return utilities[c];
    });
    order.resize(world.facts().slate_size);
    return order;
}

double world_value(const FidelityInput& in, const FixedPolicy& policy, bool greedy) {
    LearnedWorld world{in.model, {}, {}};
    const auto seeds = Rng{in.options.seed}.split("policies");
    double reward = 0;
    double steps = 0;
    for (std::size_t e = 0; e < in.options.episodes; ++e) {
        Rng rng = seeds.split(e);
        world.reset(rng());
        for (bool goes_on = true; goes_on;) {
            const auto step = world.step(choose(world, policy, greedy, rng));
            reward += step.reward;
            steps += 1;
            goes_on = !step.ended && !step.truncated;
        }
    }
    return reward / steps;
}

}  // namespace

namespace {

/// Kendall's tau over the pairs that the log tells apart; others would only add noise.
void compare_orders(Fidelity& out) {
    constexpr double errors_apart = 2;
    double agree = 0;
    for (std::size_t i = 0; i < out.policies.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto& a = out.policies[i];
            const auto& b = out.policies[j];
            if (std::abs(a.log - b.log) > errors_apart * std::hypot(a.log_error, b.log_error)) {
                agree += (a.log > b.log) == (a.world > b.world) ? 1 : -1;
                ++out.n_told_apart;
            }
        }
    }
    if (out.n_told_apart > 0) {
        out.rank_agreement = agree / static_cast<double>(out.n_told_apart);
    }
}

}  // namespace

void measure_policies(const FidelityInput& in, Fidelity& out) {
    const auto& facts = in.table.facts;
    const bool is_dataset = facts.is_clicks_only;
    if (!is_dataset && (!facts.has_propensities || !facts.has_rewards)) {
        return;
    }
    out.policy_measure = is_dataset ? "share of held-out events ranked above their negatives"
                                    : "reward per decision by SNIPW";
    for (const auto& policy : fixed_policies(in)) {
        const auto log = is_dataset ? hit_rate(in, policy) : log_value(in, policy);
        out.policies.push_back({
            .name = policy.name,
            .log = log.value,
            .log_error = log.error,
            .world = world_value(in, policy, is_dataset),
        });
    }
    compare_orders(out);
}

}  // namespace hg::simulate
