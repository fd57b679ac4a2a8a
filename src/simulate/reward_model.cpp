// SPDX-License-Identifier: Apache-2.0
#include "simulate/reward_model.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hg::simulate {
namespace {

/// The events term is taken out: histories weigh events one by one.
RewardOptions without_events(RewardOptions options) {
    options.event = 0;
    return options;
}

}  // namespace

double EventWeightReward::reward(
    const data::History& state, std::span<const ItemId> /*action*/, const data::History& next
) const {
    HG_CHECK(next.size() >= state.size(), "the next state continues the state");
    double total = 0;
    for (std::size_t i = state.size(); i < next.size(); ++i) {
        total += next.weight(i);
    }
    return total;
}

FormulaReward::FormulaReward(const RewardOptions& options, RewardContext context)
    : event_weight_(options.event), step_(without_events(options)), context_(std::move(context)) {}

double FormulaReward::reward(
    const data::History& state, std::span<const ItemId> action, const data::History& next
) const {
    const double events = EventWeightReward{}.reward(state, action, next);
    std::vector<Response> responses;
    for (std::size_t i = state.size(); i < next.size(); ++i) {
        const float value = next.values.empty() ? 0 : next.values[i];
        const bool has_type = !context_.is_purchase.empty() && !next.types.empty();
        const bool is_liked = next.weight(i) > 0;
        responses.push_back({
            .clicked = is_liked,
            .purchased = is_liked && has_type && context_.is_purchase[next.types[i].index()] != 0,
            .value = std::isfinite(value) ? value : 0,
        });
    }
    Matrix<float> items(
        context_.item_vectors.empty() ? 0 : action.size(), context_.item_vectors.cols()
    );
    std::vector<float> bits;
    std::vector<std::uint8_t> is_protected;
    for (std::size_t k = 0; k < action.size(); ++k) {
        const auto item = action[k].index();
        if (items.rows() > 0) {
            std::ranges::copy(context_.item_vectors.row(item), items.row(k).begin());
        }
        if (!context_.self_information.empty()) {
            bits.push_back(context_.self_information[item]);
        }
        if (!context_.is_protected.empty()) {
            is_protected.push_back(context_.is_protected[item]);
        }
    }
    StepOutcome outcome{
        .responses = responses,
        .ended = next.size() == state.size(),
        .items = items.view(),
        .self_information = bits,
        .is_protected = is_protected,
    };
    if (context_.preference) {
        outcome.preference_before = context_.preference(state, action);
        outcome.preference_after = context_.preference(next, action);
    }
    return event_weight_ * events + step_(outcome);
}

}  // namespace hg::simulate
