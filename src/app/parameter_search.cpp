// SPDX-License-Identifier: Apache-2.0
#include "app/parameter_search.hpp"

#include "core/nearest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace hg::app {
namespace {

constexpr std::size_t n_random = 10;
constexpr std::size_t n_draws = 24;
constexpr double good_share = 0.1;

/// Gaussians around points of [0, 1] and one wide one that stands for knowing nothing, all cut off
/// at the ends.
class RangeDensity {
  public:
    explicit RangeDensity(std::vector<double> centres) : centres_(std::move(centres)) {
        std::ranges::sort(centres_);
        const auto n = centres_.size();
        const auto narrowest = 1.0 / static_cast<double>(std::min<std::size_t>(100, n + 1));
        for (std::size_t i = 0; i < n; ++i) {
            const auto left = i == 0 ? centres_[i] : centres_[i] - centres_[i - 1];
            const auto right = i + 1 == n ? 1 - centres_[i] : centres_[i + 1] - centres_[i];
            widths_.push_back(std::clamp(std::max(left, right), narrowest, 1.0));
        }
        centres_.push_back(0.5);
        widths_.push_back(1);
    }

    [[nodiscard]] double draw(Rng& rng) const {
        const auto i = rng.below(centres_.size());
        for (;;) {
            const auto x = centres_[i] + widths_[i] * rng.normal();
            if (x >= 0 && x <= 1) {
                return x;
            }
        }
    }

    [[nodiscard]] double at(double x) const {
        double sum = 0;
        for (std::size_t i = 0; i < centres_.size(); ++i) {
            const auto z = (x - centres_[i]) / widths_[i];
            const auto inside =
                below((1 - centres_[i]) / widths_[i]) - below(-centres_[i] / widths_[i]);
            sum += std::exp(-z * z / 2) / (widths_[i] * inside * std::sqrt(2 * std::numbers::pi));
        }
        return sum / static_cast<double>(centres_.size());
    }

  private:
    static double below(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

    std::vector<double> centres_;
    std::vector<double> widths_;
};

/// How often each word was taken, one more for each.
class WordDensity {
  public:
    WordDensity(const std::vector<double>& seen, std::size_t n_words) : shares_(n_words, 1.0) {
        for (const auto word : seen) {
            shares_.at(static_cast<std::size_t>(word)) += 1;
        }
        for (auto& share : shares_) {
            share /= static_cast<double>(seen.size() + n_words);
        }
    }

    [[nodiscard]] double draw(Rng& rng) const {
        auto left = rng.uniform();
        for (std::size_t i = 0; i + 1 < shares_.size(); ++i) {
            left -= shares_[i];
            if (left < 0) {
                return static_cast<double>(i);
            }
        }
        return static_cast<double>(shares_.size() - 1);
    }

    [[nodiscard]] double at(double word) const { return shares_[static_cast<std::size_t>(word)]; }

  private:
    std::vector<double> shares_;
};

template <typename Density>
double likeliest(const Density& good, const Density& others, Rng& rng) {
    double best = 0;
    double best_ratio = -1;
    for (std::size_t i = 0; i < n_draws; ++i) {
        const auto x = good.draw(rng);
        if (const auto ratio = good.at(x) / others.at(x); ratio > best_ratio) {
            best = x;
            best_ratio = ratio;
        }
    }
    return best;
}

SearchPoint random_point(const SearchSpace& space, Rng& rng) {
    SearchPoint point;
    for (const auto& dimension : space) {
        point.push_back(dimension.draw(rng));
    }
    return point;
}

SearchPoint parzen_point(const SearchSpace& space, std::vector<SeenPoint> seen, Rng& rng) {
    // What could not be fitted is the worst there is.
    std::ranges::stable_sort(seen, [](const SeenPoint& a, const SeenPoint& b) {
        return std::isnan(b.value) ? !std::isnan(a.value) : a.value > b.value;
    });
    const auto n_good = std::max<std::size_t>(
        2, static_cast<std::size_t>(good_share * static_cast<double>(seen.size()))
    );
    SearchPoint point;
    for (std::size_t d = 0; d < space.size(); ++d) {
        std::vector<double> good;
        std::vector<double> others;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            (i < n_good ? good : others).push_back(seen[i].point[d]);
        }
        point.push_back(
            space[d].is_range() ? likeliest(RangeDensity{good}, RangeDensity{others}, rng)
                                : likeliest(
                                      WordDensity{good, space[d].words.size()},
                                      WordDensity{others, space[d].words.size()},
                                      rng
                                  )
        );
    }
    return point;
}

}  // namespace

SearchKind parse_search(std::string_view name) {
    constexpr std::array<std::string_view, 3> names{"random", "tpe", "halving"};  // as SearchKind
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--search {}: no such search", name),
            suggest(name, names),
        };
    }
    return static_cast<SearchKind>(found - names.begin());
}

SearchPoint next_point(
    const SearchSpace& space, SearchKind kind, std::span<const SeenPoint> seen, Rng rng
) {
    if (kind != SearchKind::tpe || seen.size() < n_random) {
        return random_point(space, rng);
    }
    return parzen_point(space, {seen.begin(), seen.end()}, rng);
}

}  // namespace hg::app
