// SPDX-License-Identifier: Apache-2.0
#include "train/first_screen.hpp"

#include "core/dot.hpp"
#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace hg::train {
namespace {

constexpr std::size_t most_considered = 500;

/// The items with a share, the most popular first, at most so many.
std::vector<std::uint32_t> considered(std::span<const float> shares) {
    std::vector<std::uint32_t> items(shares.size());
    std::iota(items.begin(), items.end(), 0U);
    std::erase_if(items, [&](auto item) { return !(shares[item] > 0); });
    std::ranges::stable_sort(items, std::greater{}, [&](auto item) { return shares[item]; });
    items.resize(std::min(items.size(), most_considered));
    return items;
}

std::vector<float> covariance_times(const GaussianPosterior& belief, std::span<const float> v) {
    std::vector<float> product(belief.dim());
    belief.multiply(v, product);
    return product;
}

double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -p * std::log(p) - (1 - p) * std::log(1 - p);
}

/// |K (1 - v'm)|, K = Cv / (v'Cv + s2).
double moved_by_a_tap(
    const GaussianPosterior& belief, std::span<const float> v, double noise_variance
) {
    const auto cv = covariance_times(belief, v);
    const double expected = dot(v, std::span<const float>{belief.mean});
    const double squares = dot(std::span<const float>{cv}, std::span<const float>{cv});
    const double variance = dot(v, std::span<const float>{cv});
    return std::abs(1 - expected) * std::sqrt(squares) / (variance + noise_variance);
}

/// C <- C - p K (Cv)': what is left unknown on average after asking for an item of share p.
void shrink(GaussianPosterior& belief, std::span<const float> v, double p, double noise_variance) {
    const auto cv = covariance_times(belief, v);
    const double variance = dot(v, std::span<const float>{cv});
    belief.shrink(cv, static_cast<float>(p / (variance + noise_variance)));
}

}  // namespace

std::vector<std::uint32_t> first_screen(
    const GaussianPrior& prior, std::span<const float> shares, Asking how, std::size_t k
) {
    HG_CHECK(shares.size() == prior.n_items(), "one share for each item");
    auto left = considered(shares);
    auto belief = prior.start();
    const double noise = prior.parts().noise_variance;
    const auto vector_of = [&](std::uint32_t item) { return prior.parts().item_vectors.row(item); };
    const auto worth = [&](std::uint32_t item) -> double {
        const double p = std::min(1.0F, shares[item]);
        switch (how) {
            case Asking::popularity:
                return p;
            case Asking::entropy:
                return p * entropy(p);
            case Asking::evidence:
                return p * moved_by_a_tap(belief, vector_of(item), noise);
            case Asking::information: {
                const auto v = vector_of(item);
                const auto cv = covariance_times(belief, v);
                const double variance = dot(v, std::span<const float>{cv});
                return p * std::log1p(variance / noise) / 2;
            }
        }
        return 0;
    };
    if (how != Asking::information) {  // what an item is worth does not depend on those before it
        std::ranges::stable_sort(left, std::greater{}, worth);
        left.resize(std::min(left.size(), k));
        return left;
    }
    std::vector<std::uint32_t> screen;
    while (screen.size() < k && !left.empty()) {
        const auto best = std::ranges::max_element(left, {}, worth);
        screen.push_back(*best);
        shrink(belief, vector_of(*best), std::min(1.0F, shares[*best]), noise);
        left.erase(best);
    }
    return screen;
}

}  // namespace hg::train
