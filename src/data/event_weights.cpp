// SPDX-License-Identifier: Apache-2.0
#include "data/event_weights.hpp"

#include "data/dataset_config.hpp"

namespace hg::data {

EventWeights::EventWeights(std::span<const EventType> types) {
    for (const auto& type : types) {
        weights_[type.name] = type.weight;
    }
}

float EventWeights::weight(std::string_view event) const {
    const auto found = weights_.find(event);
    return found != weights_.end() ? found->second : default_event_weight(event);
}

}  // namespace hg::data
