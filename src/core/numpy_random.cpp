// SPDX-License-Identifier: Apache-2.0
#include "core/numpy_random.hpp"

#include "core/error.hpp"

#include <bit>
#include <cmath>

namespace hg {

std::uint32_t NumpyRandom::below(std::uint32_t n) {
    HG_CHECK(n > 0, "cannot draw from an empty range");
    const std::uint32_t last = n - 1;
    if (last == 0) {
        return 0;  // numpy draws nothing here
    }
    const std::uint32_t mask = ~std::uint32_t{0} >> static_cast<unsigned>(std::countl_zero(last));
    for (;;) {
        const auto draw = static_cast<std::uint32_t>(engine_()) & mask;
        if (draw <= last) {
            return draw;
        }
    }
}

double NumpyRandom::uniform(double low, double high) {
    return low + (high - low) * uniform();
}

double NumpyRandom::normal(double mean, double sd) {
    return mean + sd * normal();
}

double NumpyRandom::normal() {
    if (has_cached_normal_) {
        has_cached_normal_ = false;
        return cached_normal_;
    }
    for (;;) {
        const double x1 = 2.0 * uniform() - 1.0;
        const double x2 = 2.0 * uniform() - 1.0;
        const double r2 = x1 * x1 + x2 * x2;
        if (r2 < 1.0 && r2 != 0.0) {
            const double f = std::sqrt(-2.0 * std::log(r2) / r2);
            cached_normal_ = f * x1;
            has_cached_normal_ = true;
            return f * x2;
        }
    }
}

std::size_t NumpyRandom::choice(std::span<const double> probabilities) {
    double total = 0;
    for (const double p : probabilities) {
        total += p;
    }
    HG_CHECK(total > 0, "a choice needs some probability");
    const double draw = uniform();
    double sum = 0;
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        sum += probabilities[i];
        if (sum / total > draw) {
            return i;
        }
    }
    return probabilities.size() - 1;
}

}  // namespace hg
