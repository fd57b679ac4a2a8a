// SPDX-License-Identifier: Apache-2.0
// ReturnScale: divides rewards by the deviation of the discounted return seen so far, so that values
// are about 1 whatever a world pays, cents or minutes, and however long its episodes: one learning
// rate fits them all. Single-threaded.
//
//   scale.update(step);     reward * scale.scale()
#pragma once

#include "core/safetensors.hpp"
#include "policy/agent.hpp"

#include <vector>

namespace hg::policy {

class ReturnScale {
  public:
    explicit ReturnScale(double discount) : discount_(discount) {}

    void update(const TransitionBatch& step);

    [[nodiscard]] double scale() const;

    void save(SafetensorsWriter& weights) const;
    void load(const SafetensorsFile& weights);

  private:
    double discount_;
    std::vector<double> returns_;  // per user, discounted from the past
    double n_ = 0;
    double mean_ = 0;
    double squares_ = 0;  // sum of squared deviations (Welford, 1962)
};

}  // namespace hg::policy
