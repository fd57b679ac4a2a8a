// SPDX-License-Identifier: Apache-2.0
// EventWeights: how much an event counts, by its name: the dataset's types first, then
// default_event_weight(). What sessions learn from and what decisions are rewarded by are the same.
//
//   const EventWeights weights{dataset.event_types};   weights.weight("purchase");
#pragma once

#include "data/dataset.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace hg::data {

class EventWeights {
  public:
    explicit EventWeights(std::span<const EventType> types);
    [[nodiscard]] float weight(std::string_view event) const;

  private:
    std::map<std::string, float, std::less<>> weights_;
};

}  // namespace hg::data
