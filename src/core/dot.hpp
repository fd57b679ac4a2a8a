// SPDX-License-Identifier: Apache-2.0
// dot: the inner product of two rows of floats, as fast as the memory gives them; precise_dot: the
// same in doubles, one after the other.
//
// dot() sums side by side: with one sum, every addition waits for the one before, since the compiler
// may not reorder floating point. The result differs from a plain sum by rounding only.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace hg {

/// Over the shorter of the two.
[[nodiscard]] inline float dot(std::span<const float> a, std::span<const float> b) noexcept {
    constexpr std::size_t lanes = 8;
    // A vector type of GCC and Clang: one AVX register, or two SSE ones where there is no AVX.
    using Lanes = float __attribute__((vector_size(lanes * sizeof(float))));
    const std::size_t n = a.size() < b.size() ? a.size() : b.size();
    const float* const x = a.data();
    const float* const y = b.data();
    const auto add_products = [x, y](Lanes& sum, std::size_t at) {
        Lanes u;
        Lanes v;
        std::memcpy(&u, x + at, sizeof u);
        std::memcpy(&v, y + at, sizeof v);
        sum += u * v;
    };
    Lanes first{};
    Lanes second{};
    std::size_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
        add_products(first, i);
        add_products(second, i + lanes);
    }
    if (i + lanes <= n) {
        add_products(first, i);
        i += lanes;
    }
    first += second;
    float total = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        total += first[lane];
    }
    for (; i < n; ++i) {
        total += x[i] * y[i];
    }
    return total;
}

/// Over the length of the first; the second is as long.
[[nodiscard]] inline double precise_dot(
    std::span<const float> a, std::span<const float> b
) noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

}  // namespace hg
