// SPDX-License-Identifier: Apache-2.0
#include "evaluate/exposure.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>

namespace hg::evaluate {
namespace {

template <typename F>
void for_each_share(const Exposure& shown, F&& use) {
    for (const auto count : shown.counts) {
        if (count > 0) {
            use(static_cast<double>(count) / static_cast<double>(shown.total));
        }
    }
}

}  // namespace

Exposure count_exposure(std::span<const ItemList> lists, std::size_t k, std::size_t n_items) {
    Exposure shown{.counts = std::vector<std::uint64_t>(n_items), .total = 0};
    for (const auto& list : lists) {
        for (std::size_t i = 0; i < std::min(k, list.size()); ++i) {
            HG_CHECK(list[i].index() < n_items, "an item outside the catalogue was shown");
            ++shown.counts[list[i].index()];
            ++shown.total;
        }
    }
    return shown;
}

std::size_t n_distinct(const Exposure& shown) {
    return static_cast<std::size_t>(std::ranges::count_if(shown.counts, [](std::uint64_t count) {
        return count > 0;
    }));
}

double coverage(const Exposure& shown) {
    if (shown.counts.empty()) {
        return 0;
    }
    return static_cast<double>(n_distinct(shown)) / static_cast<double>(shown.counts.size());
}

double gini(const Exposure& shown, GiniOver over) {
    std::vector<std::uint64_t> counts = shown.counts;
    if (over == GiniOver::shown_items) {
        std::erase(counts, std::uint64_t{0});
    }
    if (counts.empty() || shown.total == 0) {
        return 0;
    }
    std::ranges::sort(counts);
    const auto n = static_cast<double>(counts.size());
    double weighted = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        weighted += (2.0 * static_cast<double>(i + 1) - n - 1) * static_cast<double>(counts[i]);
    }
    return weighted / (n * static_cast<double>(shown.total));
}

double entropy_nats(const Exposure& shown) {
    double entropy = 0;
    for_each_share(shown, [&entropy](double share) { entropy -= share * std::log(share); });
    return entropy;
}

double effective_catalogue(const Exposure& shown) {
    return shown.total > 0 ? std::exp(entropy_nats(shown)) : 0;
}

double herfindahl(const Exposure& shown) {
    double sum = 0;
    for_each_share(shown, [&sum](double share) { sum += share * share; });
    return sum;
}

double personalisation(std::span<const ItemList> lists, std::size_t k, std::size_t n_items) {
    // The sum over pairs of cosines is (|sum of unit vectors|^2 - n) / 2: no loop over pairs.
    std::vector<double> sum(n_items);
    double n = 0;
    for (const auto& list : lists) {
        const auto length = std::min(k, list.size());
        if (length == 0) {
            continue;
        }
        n += 1;
        for (std::size_t i = 0; i < length; ++i) {
            sum.at(list[i].index()) += 1.0 / std::sqrt(static_cast<double>(length));
        }
    }
    if (n < 2) {
        return 0;
    }
    double squared = 0;
    for (const double value : sum) {
        squared += value * value;
    }
    return 1.0 - (squared - n) / (n * (n - 1));
}

}  // namespace hg::evaluate
