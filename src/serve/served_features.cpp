// SPDX-License-Identifier: Apache-2.0
#include "serve/served_features.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace hg::serve {
namespace {

constexpr float widest = 3;

}  // namespace

Standing::Standing(std::size_t n_items) : z_(n_items, -widest) {}

void Standing::set(std::span<const Scored> pool) {
    for (const auto item : known_) {
        z_[item] = -widest;
    }
    known_.clear();
    double sum = 0;
    double squares = 0;
    for (const auto& candidate : pool) {
        sum += static_cast<double>(candidate.score);
        squares += std::pow(static_cast<double>(candidate.score), 2);
    }
    const auto n = std::max(1.0, static_cast<double>(pool.size()));
    const double mean = sum / n;
    const double deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
    for (const auto& candidate : pool) {
        const double z = (static_cast<double>(candidate.score) - mean) / deviation;
        z_[candidate.index] =
            deviation > 0 ? std::clamp(static_cast<float>(z), -widest, widest) : 0.0F;
        known_.push_back(candidate.index);
    }
}

ItemFacts facts_of(
    const data::IdMap& ids, const data::Dataset& dataset, const data::ImpressionLog& log
) {
    ItemFacts facts{
        .popularity = std::vector<float>(ids.size()),
        .column = std::vector<std::uint32_t>(ids.size(), n_named_items),
    };
    std::vector<std::uint32_t> counts(dataset.items.size());
    const auto& columns = dataset.log.columns();
    for (std::size_t e = 0; e < columns.items.size(); ++e) {
        counts[columns.items[e].index()] += columns.weights[e] > 0 ? 1U : 0U;
    }
    for (std::uint32_t item = 0; item < ids.size(); ++item) {
        if (const auto row = dataset.items.find(ids.name(item))) {
            facts.popularity[item] = std::log1p(static_cast<float>(counts[*row]));
        }
    }
    std::vector<std::size_t> shown(log.items.size());
    for (const auto item : log.slots.values) {
        ++shown[item];
    }
    std::vector<std::uint32_t> most(shown.size());
    std::iota(most.begin(), most.end(), 0U);
    std::ranges::stable_sort(most, std::greater{}, [&](std::uint32_t item) { return shown[item]; });
    constexpr std::size_t decisions_each = 50;  // fewer would fit chance
    most.resize(std::min({most.size(), n_named_items, log.size() / decisions_each}));
    for (std::uint32_t place = 0; place < most.size(); ++place) {
        facts.column[most[place]] = place;
    }
    return facts;
}

}  // namespace hg::serve
