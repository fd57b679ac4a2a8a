// SPDX-License-Identifier: Apache-2.0
// HistoryProfile: the numbers of a user of a dataset, a known function of what they did:
// the recency-weighted mean of their items' features, of the values, and how much they did.
//
// Event t of n weighs decay^(n - t). The numbers say all there is to go on from, so a profile can
// be restored from them.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace hg::simulate {

class HistoryProfile {
  public:
    /// Numbers per user: mean features, mean value, log(1 + events).
    static constexpr std::size_t size(std::size_t item_size) noexcept { return item_size + 2; }

    HistoryProfile(std::size_t item_size, double decay) : decay_(decay), sums_(item_size + 1) {}

    void clear() {
        n_ = 0;
        sums_.assign(sums_.size(), 0.0);
    }

    void restore(std::span<const float> numbers) {
        n_ = std::round(std::expm1(static_cast<double>(numbers[sums_.size()])));
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            sums_[i] = static_cast<double>(numbers[i]) * total_weight();
        }
    }

    /// `value`: an unknown one counts as 0.
    void add(std::span<const float> item, float value) {
        n_ += 1;
        for (std::size_t i = 0; i + 1 < sums_.size(); ++i) {
            sums_[i] = decay_ * sums_[i] + static_cast<double>(item[i]);
        }
        sums_.back() =
            decay_ * sums_.back() + (std::isfinite(value) ? static_cast<double>(value) : 0);
    }

    void write(std::span<float> numbers) const {
        const double weight = n_ > 0 ? total_weight() : 1;
        for (std::size_t i = 0; i < sums_.size(); ++i) {
            numbers[i] = static_cast<float>(sums_[i] / weight);
        }
        numbers[sums_.size()] = static_cast<float>(std::log1p(n_));
    }

  private:
    [[nodiscard]] double total_weight() const {
        return decay_ < 1 ? (1 - std::pow(decay_, n_)) / (1 - decay_) : n_;
    }

    double decay_;
    double n_ = 0;
    std::vector<double> sums_;  // features, value
};

}  // namespace hg::simulate
