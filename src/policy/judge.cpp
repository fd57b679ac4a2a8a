// SPDX-License-Identifier: Apache-2.0
#include "policy/judge.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace hg::policy {
namespace {

/// Writes them, with every policy's probability of each (or share of its draws).
class ActionTable {
  public:
    ActionTable(const LoggedDecisions& log, std::size_t n_policies) : log_(log) {
        const auto& shape = log.shape;
        actions_.dim = shape.user_size + shape.item_size +
                       (shape.user_size == shape.item_size ? shape.item_size : 0);
        actions_.probabilities.resize(n_policies);
    }

    void add(
        std::size_t decision,
        std::span<const std::uint32_t> slate,
        std::span<const double> probabilities
    ) {
        const auto user = log_.users.row(decision);
        const auto d = log_.shape.item_size;
        auto& out = actions_.features;
        out.insert(out.end(), user.begin(), user.end());
        const auto mean = out.size();
        out.resize(mean + d);
        for (const auto place : slate) {
            const auto item = log_.items.row(decision * log_.shape.n_candidates + place);
            for (std::size_t j = 0; j < d; ++j) {
                out[mean + j] += item[j] / static_cast<float>(slate.size());
            }
        }
        if (user.size() == d) {
            for (std::size_t j = 0; j < d; ++j) {
                out.push_back(user[j] * out[mean + j]);
            }
        }
        for (std::size_t p = 0; p < actions_.probabilities.size(); ++p) {
            actions_.probabilities[p].push_back(probabilities[p]);
        }
        ++n_;
    }

    void end_decision() { actions_.offsets.push_back(n_); }

    [[nodiscard]] JudgedActions& actions() noexcept { return actions_; }

  private:
    const LoggedDecisions& log_;
    JudgedActions actions_;
    std::size_t n_ = 0;
};

/// One slot: every candidate with its exact probability under every policy.
JudgedActions every_candidate(const LoggedDecisions& log, std::span<const LoggedAgent> policies) {
    const auto n = log.shape.n_candidates;
    constexpr std::size_t at_once = 1024;
    ActionTable table{log, policies.size()};
    for (std::size_t first = 0; first < log.size(); first += at_once) {
        const auto count = std::min(at_once, log.size() - first);
        std::vector<Matrix<double>> shares(policies.size() * n);
        Matrix<std::uint32_t> slates(count, 1);
        for (std::size_t c = 0; c < n; ++c) {
            std::ranges::fill(slates.values(), static_cast<std::uint32_t>(c));
            for (std::size_t p = 0; p < policies.size(); ++p) {
                shares[p * n + c] = Matrix<double>(count, 1);
                policies[p].agent->propensities(
                    log.batch(first, count, policies[p].sessions.view()),
                    Mode::exploit,
                    std::as_const(slates).view(),
                    shares[p * n + c].view()
                );
            }
        }
        std::vector<double> probabilities(policies.size());
        for (std::size_t i = 0; i < count; ++i) {
            // The logged one stands first, so that `chosen` is always 0.
            const auto logged = log.slates(first + i, 0);
            for (std::uint32_t place = 0; place < n; ++place) {
                const auto c = place == 0 ? logged : (place <= logged ? place - 1 : place);
                for (std::size_t p = 0; p < policies.size(); ++p) {
                    probabilities[p] = shares[p * n + c](i, 0);
                }
                table.add(first + i, std::array{c}, probabilities);
            }
            table.end_decision();
        }
    }
    return std::move(table.actions());
}

/// Several slots: the logged slate (with probability 0: it is there to be learned from) and draws of
/// every policy.
JudgedActions sampled_slates(
    const LoggedDecisions& log, std::span<const LoggedAgent> policies, const JudgeOptions& options
) {
    constexpr std::size_t at_once = 1024;
    const double share = 1 / static_cast<double>(options.sampled_slates);
    ActionTable table{log, policies.size()};
    Rng rng = Rng{options.seed}.split("judge");
    for (std::size_t first = 0; first < log.size(); first += at_once) {
        const auto count = std::min(at_once, log.size() - first);
        std::vector<DecisionBatch> draws;
        for (const auto& policy : policies) {
            const auto seen = log.batch(first, count, policy.sessions.view());
            for (std::size_t d = 0; d < options.sampled_slates; ++d) {
                draws.emplace_back(count, log.shape.slate_size);
                policy.agent->act(seen, Mode::exploit, rng, draws.back());
            }
        }
        std::vector<double> probabilities(policies.size());
        for (std::size_t i = 0; i < count; ++i) {
            std::ranges::fill(probabilities, 0.0);
            table.add(first + i, log.slates.row(first + i), probabilities);
            for (std::size_t d = 0; d < draws.size(); ++d) {
                std::ranges::fill(probabilities, 0.0);
                probabilities[d / options.sampled_slates] = share;
                table.add(first + i, draws[d].slates.row(i), probabilities);
            }
            table.end_decision();
        }
    }
    return std::move(table.actions());
}

}  // namespace

Judged judge(
    const LoggedDecisions& log, std::span<const LoggedAgent> policies, const JudgeOptions& options
) {
    HG_CHECK(!policies.empty(), "there is a policy to judge");
    Judged judged;
    for (const auto& policy : policies) {
        judged.policies.push_back({.probability = slate_probabilities(policy, Mode::exploit, log)});
    }
    const auto actions = log.shape.slate_size == 1 ? every_candidate(log, policies)
                                                   : sampled_slates(log, policies, options);
    predict_rewards(
        judged,
        actions,
        {.reward = log.reward,
         .propensity = log.propensity,
         .units = log.units,
         .seed = options.seed}
    );
    return judged;
}

}  // namespace hg::policy
