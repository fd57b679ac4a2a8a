// SPDX-License-Identifier: Apache-2.0
#include "simulate/step_reward.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hg::simulate {
namespace {

template <typename T>
double mean(std::span<const T> values) {
    double sum = 0;
    for (const T value : values) {
        sum += static_cast<double>(value);
    }
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

}  // namespace

bool RewardOptions::is_off() const noexcept {
    return event == 0 && purchase == 0 && log_value == 0 && preference_gain == 0 && survival == 0 &&
           diversity == 0 && novelty == 0 && constraint == 0;
}

double slate_diversity(MatrixView<const float> items) {
    double sum = 0;
    std::size_t n = 0;
    for (std::size_t i = 0; i < items.rows(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            double dot = 0;
            double a = 0;
            double b = 0;
            for (std::size_t c = 0; c < items.cols(); ++c) {
                const double x = items(i, c);
                const double y = items(j, c);
                dot += x * y;
                a += x * x;
                b += y * y;
            }
            sum += a > 0 && b > 0 ? 1 - dot / std::sqrt(a * b) : 1;
            ++n;
        }
    }
    return n == 0 ? 0 : sum / static_cast<double>(n);
}

double StepReward::operator()(const StepOutcome& outcome) const {
    const auto& o = options_;
    double total = 0;
    for (const auto& response : outcome.responses) {
        if (response.clicked) {
            const double value = std::max(0.0, static_cast<double>(response.value));
            total += o.event + o.log_value * std::log1p(value);
            total += response.purchased ? o.purchase : 0;
        }
    }
    total += o.preference_gain * (outcome.preference_after - outcome.preference_before);
    total += outcome.ended ? 0 : o.survival;
    if (o.diversity != 0) {
        total += o.diversity * slate_diversity(outcome.items);
    }
    total += o.novelty * mean(outcome.self_information);
    if (!outcome.is_protected.empty()) {
        total -= o.constraint * std::max(0.0, o.min_share - mean(outcome.is_protected));
    }
    return total;
}

}  // namespace hg::simulate
