// SPDX-License-Identifier: Apache-2.0
#include "policy/item_means.hpp"

#include <algorithm>
#include <numeric>

namespace hg::policy {

void ItemMeansAgent::observe(
    const TransitionBatch& step, Rng& rng, const MetricSink& /*log*/
) {
    for_each_credit(step, [&](std::size_t u, std::uint32_t candidate, double share) {
        const auto item = step.before.item_ids(u, candidate);
        shown_[item] += 1;
        earned_[item] += share * step.rewards[u];
        total_ += 1;
    });
    refresh(rng);
}

void ItemMeansAgent::save(SafetensorsWriter& weights, Save /*what*/) const {
    weights.add("shown", std::span<const double>{shown_});
    weights.add("earned", std::span<const double>{earned_});
}

void ItemMeansAgent::load(const SafetensorsFile& weights, Save /*what*/) {
    const auto shown = value_or_throw(weights.values<double>("shown"));
    const auto earned = value_or_throw(weights.values<double>("earned"));
    if (shown.size() != shown_.size() || earned.size() != earned_.size()) {
        throw Error{
            ErrorCode::corrupt,
            "the run knows another number of items than this world has",
            "use the world it was learned in"
        };
    }
    std::ranges::copy(shown, shown_.begin());
    std::ranges::copy(earned, earned_.begin());
    total_ = std::accumulate(shown_.begin(), shown_.end(), 0.0);
    Rng rng{0};
    refresh(rng);
}

}  // namespace hg::policy
