// SPDX-License-Identifier: Apache-2.0
#include "evaluate/prediction.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace hg::evaluate {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<std::size_t> ascending(std::span<const double> values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
    return order;
}

}  // namespace

double log_loss(std::span<const double> chances, std::span<const std::uint8_t> outcomes) {
    HG_CHECK(chances.size() == outcomes.size(), "one chance per outcome");
    constexpr double edge = 1e-6;
    double sum = 0;
    for (std::size_t i = 0; i < chances.size(); ++i) {
        const double p = std::clamp(chances[i], edge, 1 - edge);
        sum -= std::log(outcomes[i] != 0 ? p : 1 - p);
    }
    return chances.empty() ? nothing : sum / static_cast<double>(chances.size());
}

double area_under_curve(std::span<const double> chances, std::span<const std::uint8_t> outcomes) {
    HG_CHECK(chances.size() == outcomes.size(), "one chance per outcome");
    const auto order = ascending(chances);
    double rank_sum = 0;
    double positives = 0;
    for (std::size_t i = 0; i < order.size();) {
        std::size_t j = i;
        while (j < order.size() && !(chances[order[i]] < chances[order[j]])) {
            ++j;
        }
        const double rank = (static_cast<double>(i + 1) + static_cast<double>(j)) / 2;
        for (; i < j; ++i) {
            if (outcomes[order[i]] != 0) {
                rank_sum += rank;
                positives += 1;
            }
        }
    }
    const double negatives = static_cast<double>(order.size()) - positives;
    if (positives == 0 || negatives == 0) {
        return nothing;
    }
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

std::vector<CalibrationBin> calibration_bins(
    std::span<const double> chances, std::span<const std::uint8_t> outcomes, std::size_t n_bins
) {
    HG_CHECK(chances.size() == outcomes.size() && n_bins > 0, "one chance per outcome");
    const auto order = ascending(chances);
    std::vector<CalibrationBin> bins;
    for (std::size_t b = 0; b < n_bins; ++b) {
        const auto begin = b * order.size() / n_bins;
        const auto end = (b + 1) * order.size() / n_bins;
        CalibrationBin bin{.n = end - begin};
        for (auto i = begin; i < end; ++i) {
            bin.mean_chance += chances[order[i]] / static_cast<double>(bin.n);
            bin.share += (outcomes[order[i]] != 0 ? 1.0 : 0.0) / static_cast<double>(bin.n);
        }
        if (bin.n > 0) {
            bins.push_back(bin);
        }
    }
    return bins;
}

double expected_calibration_error(std::span<const CalibrationBin> bins) {
    double sum = 0;
    double n = 0;
    for (const auto& bin : bins) {
        sum += static_cast<double>(bin.n) * std::abs(bin.mean_chance - bin.share);
        n += static_cast<double>(bin.n);
    }
    return n > 0 ? sum / n : nothing;
}

double kolmogorov_smirnov(std::vector<double> a, std::vector<double> b) {
    if (a.empty() || b.empty()) {
        return nothing;
    }
    std::ranges::sort(a);
    std::ranges::sort(b);
    double widest = 0;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < a.size() && j < b.size()) {
        const double x = std::min(a[i], b[j]);
        while (i < a.size() && a[i] <= x) {
            ++i;
        }
        while (j < b.size() && b[j] <= x) {
            ++j;
        }
        const double of_a = static_cast<double>(i) / static_cast<double>(a.size());
        const double of_b = static_cast<double>(j) / static_cast<double>(b.size());
        widest = std::max(widest, std::abs(of_a - of_b));
    }
    return widest;
}

}  // namespace hg::evaluate
