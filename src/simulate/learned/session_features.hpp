// SPDX-License-Identifier: Apache-2.0
// session_features: what a member is told of a decision and of the session so far; one place, so
// that fitting and stepping cannot disagree.
//
//   write_token(shape, shown, token);          // after the user answered
//   counters.add(token);  counters.write(out);
#pragma once

#include "simulate/learned/member.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace hg::simulate {

struct ShownItem {
    std::span<const float> features;  // scaled
    bool clicked = false;
    bool purchased = false;
    float value = 0;  // scaled; 0 = unknown, that is the mean
};

/// [clicked features, clicked features x value, mean of shown features, clicks, values, 1] and,
/// where the data tell purchases, their number
inline void write_token(
    const MemberShape& shape, std::span<const ShownItem> shown, std::span<float> token
) {
    const auto n = shape.item_size;
    std::ranges::fill(token, 0.0F);
    const float share = 1.0F / static_cast<float>(std::max<std::size_t>(1, shown.size()));
    for (const auto& slot : shown) {
        for (std::size_t i = 0; i < n; ++i) {
            const float x = slot.features[i];
            token[2 * n + i] += share * x;
            token[i] += slot.clicked ? x : 0.0F;
            token[n + i] += slot.clicked ? x * slot.value : 0.0F;
        }
        token[3 * n] += slot.clicked ? 1.0F : 0.0F;
        token[3 * n + 1] += slot.clicked ? slot.value : 0.0F;
        if (shape.has_purchases) {
            token[3 * n + 3] += slot.purchased ? 1.0F : 0.0F;
        }
    }
    token[3 * n + 2] = 1;
}

/// The token as it is before the values are known.
inline void forget_values(const MemberShape& shape, std::span<float> token) {
    const auto n = shape.item_size;
    std::ranges::fill(token.subspan(n, n), 0.0F);
    token[3 * n + 1] = 0;
}

/// Sums over the session, in units of a mean session.
class SessionCounters {
  public:
    SessionCounters(const MemberShape& shape, double mean_steps)
        : item_size_(shape.item_size),
          scale_(static_cast<float>(1 / std::max(1.0, mean_steps))),
          sums_(2 + shape.item_size) {}

    void clear() {
        steps_ = 0;
        std::ranges::fill(sums_, 0.0F);
    }

    void add(std::span<const float> token) {
        ++steps_;
        sums_[0] += token[3 * item_size_];
        sums_[1] += token[3 * item_size_ + 1];
        for (std::size_t i = 0; i < item_size_; ++i) {
            sums_[2 + i] += token[i];
        }
    }

    [[nodiscard]] std::uint32_t steps() const noexcept { return steps_; }

    /// counter_size numbers
    void write(std::span<float> out) const {
        out[0] = std::log1p(static_cast<float>(steps_));
        out[1] = scale_ * static_cast<float>(steps_);
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            out[2 + i] = scale_ * sums_[i];
        }
    }

  private:
    std::size_t item_size_;
    float scale_;
    std::uint32_t steps_ = 0;
    std::vector<float> sums_;  // clicks, values, clicked features
};

}  // namespace hg::simulate
