// SPDX-License-Identifier: Apache-2.0
#include "policy/return_scale.hpp"

#include <algorithm>
#include <cmath>

namespace hg::policy {
namespace {

constexpr double smallest_deviation = 1e-4;

}  // namespace

void ReturnScale::update(const TransitionBatch& step) {
    returns_.resize(step.rewards.size());
    for (std::size_t u = 0; u < returns_.size(); ++u) {
        returns_[u] = discount_ * returns_[u] + step.rewards[u];
        n_ += 1;
        const double off = returns_[u] - mean_;
        mean_ += off / n_;
        squares_ += off * (returns_[u] - mean_);
        if (step.ended[u] != 0 || step.truncated[u] != 0) {
            returns_[u] = 0;
        }
    }
}

double ReturnScale::scale() const {
    return n_ > 1 ? 1 / std::max(smallest_deviation, std::sqrt(squares_ / n_)) : 1;
}

void ReturnScale::save(SafetensorsWriter& weights) const {
    const std::vector<double> values{n_, mean_, squares_};
    weights.add("return_scale", std::span<const double>{values});
}

void ReturnScale::load(const SafetensorsFile& weights) {
    const auto values = value_or_throw(weights.values<double>("return_scale"));
    if (values.size() != 3) {
        throw Error{ErrorCode::corrupt, "return_scale holds 3 numbers", "learn the agent again"};
    }
    n_ = values[0];
    mean_ = values[1];
    squares_ = values[2];
}

}  // namespace hg::policy
