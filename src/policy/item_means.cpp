// SPDX-License-Identifier: Apache-2.0
#include "policy/item_means.hpp"

#include <algorithm>
#include <numeric>

namespace hg::policy {

void ItemMeansAgent::observe(
    const TransitionBatch& step, Rng& rng, const MetricSink& /*log*/
) {
    for (std::size_t u = 0; u < step.before.size(); ++u) {
        const auto slate = step.decisions.slates.row(u);
        const auto responses = step.responses.row(u);
        const auto clicks =
            static_cast<double>(std::ranges::count_if(responses, &simulate::Response::clicked));
        for (std::size_t slot = 0; slot < slate.size(); ++slot) {
            const auto item = step.before.item_ids(u, slate[slot]);
            const double share = clicks > 0 ? (responses[slot].clicked ? 1 / clicks : 0)
                                            : 1 / static_cast<double>(slate.size());
            shown_[item] += 1;
            earned_[item] += share * step.rewards[u];
            total_ += 1;
        }
    }
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
