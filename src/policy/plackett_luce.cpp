// SPDX-License-Identifier: Apache-2.0
#include "policy/plackett_luce.hpp"

#include "policy/version_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::policy {
namespace {

/// exp((z(score) - max) / temperature): weights of the softmax, the best one is 1. With temperature
/// 0 only the best remaining candidate has weight, which the caller handles by `greedy`.
std::vector<double> softmax_weights(std::span<const Scored> candidates, double temperature) {
    const auto n = static_cast<double>(candidates.size());
    double mean = 0;
    for (const auto& c : candidates) {
        mean += static_cast<double>(c.score) / n;
    }
    double variance = 0;
    for (const auto& c : candidates) {
        variance += std::pow(static_cast<double>(c.score) - mean, 2) / n;
    }
    const double scale = variance > 0 ? 1.0 / std::sqrt(variance) : 0.0;
    std::vector<double> weights;
    weights.reserve(candidates.size());
    const auto best = static_cast<double>(candidates.front().score);
    for (const auto& c : candidates) {
        weights.push_back(std::exp((static_cast<double>(c.score) - best) * scale / temperature));
    }
    return weights;
}

/// The distribution of the next slot over the candidates not yet taken, slot after slot. The first
/// max_candidates are the best ones; what follows is only reached by data collection.
class SlotDistribution {
  public:
    SlotDistribution(std::span<const Scored> pool, const PlackettLuceOptions& options)
        : options_(options),
          n_best_(std::min(pool.size(), static_cast<std::size_t>(options.max_candidates))),
          taken_(pool.size(), false),
          n_left_(pool.size()),
          n_best_left_(n_best_) {
        if (options.temperature > 0) {
            weights_ = softmax_weights(pool.first(n_best_), options.temperature);
        } else {
            weights_.assign(n_best_, 0.0);
        }
        refresh();
    }

    [[nodiscard]] double probability(std::size_t index) const {
        if (taken_[index]) {
            return 0;
        }
        const double anywhere = options_.random_share / static_cast<double>(n_left_);
        return anywhere + (1 - options_.random_share) * among_best(index);
    }

    [[nodiscard]] std::size_t draw(Rng& rng) const {
        double u = rng.uniform();
        std::size_t last = best_left_;
        for (std::size_t i = 0; i < taken_.size(); ++i) {
            if (taken_[i]) {
                continue;
            }
            const double p = probability(i);
            if (p > 0) {
                last = i;
            }
            u -= p;
            if (u < 0) {
                return i;
            }
        }
        return last;  // rounding left a sliver of u
    }

    void take(std::size_t index) {
        taken_[index] = true;
        --n_left_;
        n_best_left_ -= index < n_best_ ? 1 : 0;
        refresh();
    }

    [[nodiscard]] std::size_t best_left() const noexcept { return best_left_; }

  private:
    [[nodiscard]] double among_best(std::size_t index) const {
        if (index >= n_best_) {
            return 0;
        }
        const double exploit =
            total_ > 0 ? weights_[index] / total_ : (index == best_left_ ? 1.0 : 0.0);
        return (1 - options_.epsilon) * exploit +
               options_.epsilon / static_cast<double>(n_best_left_);
    }

    void refresh() {
        // Recomputed, not subtracted: when the largest weight leaves, what stays may be 1e-16 of
        // it.
        total_ = 0;
        best_left_ = taken_.size();
        for (std::size_t i = 0; i < n_best_; ++i) {
            if (taken_[i]) {
                continue;
            }
            total_ += weights_[i];
            best_left_ = std::min(best_left_, i);
        }
    }

    const PlackettLuceOptions& options_;
    std::size_t n_best_;
    std::vector<double> weights_;
    std::vector<bool> taken_;
    std::size_t n_left_;
    std::size_t n_best_left_;
    std::size_t best_left_ = 0;
    double total_ = 0;
};

/// What a slate can show of these candidates.
std::span<const Scored> pool_of(
    std::span<const Scored> candidates, const PlackettLuceOptions& options
) {
    return candidates.first(
        std::min(candidates.size(), static_cast<std::size_t>(options.pool_size()))
    );
}

std::string version_of(const PlackettLuceOptions& options) {
    const auto collection =
        options.random_share > 0
            ? fmt::format(",random={},of={}", options.random_share, options.random_candidates)
            : std::string{};
    return fmt::format(
        "plackett_luce(epsilon={},temperature={},m={}{})",
        options.epsilon,
        options.temperature,
        options.max_candidates,
        collection
    );
}

}  // namespace

PlackettLuce::PlackettLuce(PlackettLuceOptions options)
    : options_(options), version_(version_of(options)) {}

Slate PlackettLuce::act(std::span<const Scored> candidates, std::size_t k, Rng& rng) const {
    Slate slate;
    slate.deterministic =
        options_.epsilon <= 0 && options_.temperature <= 0 && options_.random_share <= 0;
    const auto pool = pool_of(candidates, options_);
    if (pool.empty()) {
        return slate;
    }
    SlotDistribution distribution{pool, options_};
    const auto most = static_cast<std::size_t>(options_.max_candidates);
    for (std::size_t slot = 0; slot < std::min({k, most, pool.size()}); ++slot) {
        const auto greedy = distribution.best_left();
        const auto chosen = distribution.draw(rng);
        const double propensity = distribution.probability(chosen);
        slate.slots.push_back({
            .item = pool[chosen].index,
            .score = pool[chosen].score,
            .propensity = propensity,
            .explored = chosen != greedy,
        });
        slate.propensity *= propensity;
        distribution.take(chosen);
    }
    return slate;
}

std::vector<double> PlackettLuce::propensities(
    std::span<const Scored> candidates, std::span<const std::uint32_t> slots
) const {
    std::vector<double> factors;
    const auto pool = pool_of(candidates, options_);
    if (pool.empty()) {
        return std::vector<double>(slots.size(), 0.0);
    }
    SlotDistribution distribution{pool, options_};
    for (const auto item : slots) {
        const auto found = std::ranges::find(pool, item, &Scored::index);
        if (found == pool.end()) {
            factors.push_back(0);
            continue;
        }
        const auto index = static_cast<std::size_t>(found - pool.begin());
        factors.push_back(distribution.probability(index));
        distribution.take(index);
    }
    return factors;
}

std::vector<double> PlackettLuce::first_slot(std::span<const Scored> candidates) const {
    const auto pool = pool_of(candidates, options_);
    std::vector<double> probabilities(pool.size());
    if (!pool.empty()) {
        const SlotDistribution distribution{pool, options_};
        for (std::size_t i = 0; i < pool.size(); ++i) {
            probabilities[i] = distribution.probability(i);
        }
    }
    return probabilities;
}

std::optional<PlackettLuceOptions> parse_plackett_luce(std::string_view version) {
    PlackettLuceOptions options;
    VersionReader reader{version};
    bool is_read = reader.number("plackett_luce(epsilon=", options.epsilon) &&
                   reader.number(",temperature=", options.temperature) &&
                   reader.number(",m=", options.max_candidates);
    if (is_read && reader.left() != ")") {
        is_read = reader.number(",random=", options.random_share) &&
                  reader.number(",of=", options.random_candidates);
    }
    return is_read && reader.left() == ")" ? std::optional{options} : std::nullopt;
}

}  // namespace hg::policy
