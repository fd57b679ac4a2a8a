// SPDX-License-Identifier: Apache-2.0
#include "app/learning_curve.hpp"

#include <algorithm>
#include <cmath>

namespace hg::app {
namespace {

double abscissa(std::size_t k) {
    return std::log2(static_cast<double>(k) + 1);
}

}  // namespace

double area(std::span<const std::size_t> ks, std::span<const double> values) {
    const auto n = std::min(ks.size(), values.size());
    if (n < 2) {
        return n == 0 ? 0 : values.front();
    }
    double sum = 0;
    for (std::size_t i = 1; i < n; ++i) {
        sum += (abscissa(ks[i]) - abscissa(ks[i - 1])) * (values[i] + values[i - 1]) / 2;
    }
    return sum / (abscissa(ks[n - 1]) - abscissa(ks[0]));
}

std::optional<std::size_t> first_to_reach(
    std::span<const std::size_t> ks, std::span<const double> values, double level
) {
    for (std::size_t i = 0; i < std::min(ks.size(), values.size()); ++i) {
        if (values[i] >= level) {
            return ks[i];
        }
    }
    return std::nullopt;
}

}  // namespace hg::app
