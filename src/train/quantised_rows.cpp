// SPDX-License-Identifier: Apache-2.0
#include "train/quantised_rows.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace hg::train {
namespace {

/// So many rows at a time, so that the sums are read and written that much less often.
constexpr std::size_t at_once = 4;

struct Rows {
    std::array<const std::int16_t*, at_once> values{};
    std::array<float, at_once> weights{};
    std::size_t n = 0;
};

void add(Rows& rows, std::span<float> out) {
    for (; rows.n < at_once; ++rows.n) {
        rows.values[rows.n] = rows.values[0];
        rows.weights[rows.n] = 0;
    }
    const auto [a, b, c, d] = rows.values;
    const auto [u, v, w, x] = rows.weights;
    float* const sum = out.data();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto first = u * static_cast<float>(a[i]) + v * static_cast<float>(b[i]);
        const auto second = w * static_cast<float>(c[i]) + x * static_cast<float>(d[i]);
        sum[i] += first + second;
    }
    rows.n = 0;
}

}  // namespace

QuantisedRows::QuantisedRows(MatrixView<const float> rows)
    : values_(rows.rows(), rows.cols()), scales_(rows.rows()) {
    constexpr float largest = std::numeric_limits<std::int16_t>::max();
    for (std::size_t r = 0; r < rows.rows(); ++r) {
        float reach = 0;
        for (const float x : rows.row(r)) {
            reach = std::max(reach, std::abs(x));
        }
        scales_[r] = reach / largest;
        const float factor = reach > 0 ? largest / reach : 0;
        std::ranges::transform(rows.row(r), values_.row(r).begin(), [factor](float x) {
            return static_cast<std::int16_t>(std::lround(x * factor));
        });
    }
}

void QuantisedRows::add_weighted(std::span<const float> weights, std::span<float> out) const {
    HG_CHECK(weights.size() == rows() && out.size() == cols(), "shapes must fit");
    Rows some;
    for (std::size_t r = 0; r < weights.size(); ++r) {
        if (weights[r] == 0 || scales_[r] == 0) {
            continue;
        }
        some.values[some.n] = values_.row(r).data();
        some.weights[some.n] = weights[r] * scales_[r];
        if (++some.n == at_once) {
            add(some, out);
        }
    }
    if (some.n > 0) {
        add(some, out);
    }
}

}  // namespace hg::train
