// SPDX-License-Identifier: Apache-2.0
#include "policy/bayes_optimal.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace hg::policy {
namespace {

constexpr std::size_t most_states = 20'000'000;
constexpr std::size_t longest = 255;  // counts are bytes
constexpr std::uint32_t key_bits = 128;

std::vector<double> predicted_by(const UniformArms& /*prior*/, std::span<const ArmCounts> counts) {
    std::vector<double> p;
    p.reserve(counts.size());
    for (const auto& arm : counts) {
        p.push_back((arm.won + 1.0) / (arm.won + arm.lost + 2.0));
    }
    return p;
}

std::vector<double> predicted_by(const TypedArms& prior, std::span<const ArmCounts> counts) {
    std::vector<double> p(counts.size());
    double total = 0;
    for (std::size_t k = 0; k < prior.type_share.size(); ++k) {
        double likelihood = prior.type_share[k];
        for (std::size_t a = 0; a < counts.size(); ++a) {
            likelihood *= std::pow(prior.click(k, a), counts[a].won) *
                          std::pow(1 - prior.click(k, a), counts[a].lost);
        }
        total += likelihood;
        for (std::size_t a = 0; a < p.size(); ++a) {
            p[a] += likelihood * prior.click(k, a);
        }
    }
    for (double& one : p) {
        one /= total;
    }
    return p;
}

}  // namespace

BayesOptimal::BayesOptimal(Prior prior, std::size_t horizon)
    : prior_(std::move(prior)),
      horizon_(horizon),
      bits_(static_cast<std::uint32_t>(std::bit_width(horizon))) {
    if (horizon_ > longest || 2 * bits_ * n_arms() > key_bits) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("{} arms over {} steps have too many states", n_arms(), horizon),
            "take fewer arms or steps"
        };
    }
    solve(std::vector<ArmCounts>(n_arms()), 0);
}

std::size_t BayesOptimal::n_arms() const {
    if (const auto* uniform = std::get_if<UniformArms>(&prior_)) {
        return uniform->n_arms;
    }
    return std::get<TypedArms>(prior_).click.cols();
}

BayesOptimal::Key BayesOptimal::key_of(std::span<const ArmCounts> counts) const {
    Key key{};
    std::uint32_t at = 0;
    const auto put = [&](std::uint64_t count) {
        constexpr std::uint32_t word = 64;
        key[at / word] |= count << (at % word);
        if (at / word == 0 && at + bits_ > word) {
            key[1] |= count >> (word - at);
        }
        at += bits_;
    };
    for (const auto& arm : counts) {
        put(arm.won);
        put(arm.lost);
    }
    return key;
}

std::vector<double> BayesOptimal::predicted(std::span<const ArmCounts> counts) const {
    return std::visit([&](const auto& prior) { return predicted_by(prior, counts); }, prior_);
}

double BayesOptimal::known(std::vector<ArmCounts> counts, std::size_t seen) const {
    if (seen == horizon_) {
        return 0;
    }
    if (std::holds_alternative<UniformArms>(prior_)) {
        std::ranges::sort(counts);
    }
    return values_.at(key_of(counts));
}

double BayesOptimal::solve(std::vector<ArmCounts> counts, std::size_t seen) {
    if (seen == horizon_) {
        return 0;
    }
    const bool are_alike = std::holds_alternative<UniformArms>(prior_);
    if (are_alike) {
        std::ranges::sort(counts);
    }
    const auto key = key_of(counts);
    if (const auto found = values_.find(key); found != values_.end()) {
        return found->second;
    }
    const auto p = predicted(counts);
    double best = 0;
    for (std::size_t a = 0; a < counts.size(); ++a) {
        if (are_alike && a > 0 && counts[a] == counts[a - 1]) {
            continue;
        }
        auto won = counts;
        ++won[a].won;
        auto lost = counts;
        ++lost[a].lost;
        best = std::max(
            best,
            p[a] * (1 + solve(std::move(won), seen + 1)) +
                (1 - p[a]) * solve(std::move(lost), seen + 1)
        );
    }
    if (values_.size() == most_states) {
        throw Error{
            ErrorCode::exhausted,
            fmt::format("more than {} states", most_states),
            "take fewer arms or steps"
        };
    }
    values_.emplace(key, best);
    return best;
}

double BayesOptimal::value() const {
    return known(std::vector<ArmCounts>(n_arms()), 0);
}

std::size_t BayesOptimal::best_arm(std::span<const ArmCounts> counts) const {
    std::size_t seen = 0;
    for (const auto& arm : counts) {
        seen += static_cast<std::size_t>(arm.won) + arm.lost;
    }
    HG_CHECK(seen < horizon_, "the horizon is over");
    const auto p = predicted(counts);
    std::size_t best = 0;
    double best_value = -1;
    for (std::size_t a = 0; a < counts.size(); ++a) {
        std::vector<ArmCounts> won{counts.begin(), counts.end()};
        ++won[a].won;
        std::vector<ArmCounts> lost{counts.begin(), counts.end()};
        ++lost[a].lost;
        const double value = p[a] * (1 + known(std::move(won), seen + 1)) +
                             (1 - p[a]) * known(std::move(lost), seen + 1);
        if (value > best_value + 1e-12) {
            best = a;
            best_value = value;
        }
    }
    return best;
}

}  // namespace hg::policy
