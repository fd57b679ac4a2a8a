// SPDX-License-Identifier: Apache-2.0
#include "train/clusters.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

namespace hg::train {
namespace {

double squared_distance(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    return sum;
}

/// The first at random, each further one with probability ~ squared distance to the nearest so far.
Matrix<float> seeds(MatrixView<const float> rows, std::size_t k, Rng& rng) {
    Matrix<float> centres(k, rows.cols());
    std::vector<double> nearest(rows.rows(), std::numeric_limits<double>::infinity());
    std::size_t chosen = rng.below(rows.rows());
    for (std::size_t c = 0; c < k; ++c) {
        std::ranges::copy(rows.row(chosen), centres.row(c).begin());
        double total = 0;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            nearest[i] = std::min(nearest[i], squared_distance(rows.row(i), centres.row(c)));
            total += nearest[i];
        }
        double left = rng.uniform() * total;
        chosen = 0;
        while (chosen + 1 < rows.rows() && (left -= nearest[chosen]) >= 0) {
            ++chosen;
        }
    }
    return centres;
}

std::uint32_t nearest_centre(std::span<const float> row, const Matrix<float>& centres) {
    std::uint32_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::uint32_t c = 0; c < centres.rows(); ++c) {
        if (const double d = squared_distance(row, centres.row(c)); d < least) {
            least = d;
            best = c;
        }
    }
    return best;
}

struct Centres {
    Matrix<float> means;        // [k, d]
    std::vector<double> sizes;  // [k]
};

Centres centres_of(
    MatrixView<const float> rows, std::span<const std::uint32_t> label, std::size_t k
) {
    Centres centres{Matrix<float>(k, rows.cols()), std::vector<double>(k)};
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        centres.sizes[label[i]] += 1;
    }
    for (std::size_t i = 0; i < rows.rows(); ++i) {
        const auto mean = centres.means.row(label[i]);
        const auto row = rows.row(i);
        const auto share = static_cast<float>(1 / centres.sizes[label[i]]);
        for (std::size_t c = 0; c < mean.size(); ++c) {
            mean[c] += share * row[c];
        }
    }
    return centres;
}

/// Labels in use become 0, 1, ... in the order of their first row.
void renumber(std::vector<std::uint32_t>& label) {
    constexpr auto unused = static_cast<std::uint32_t>(-1);
    std::vector<std::uint32_t> known(
        label.empty() ? 0 : std::size_t{std::ranges::max(label)} + 1, unused
    );
    std::uint32_t next = 0;
    for (auto& l : label) {
        if (known[l] == unused) {
            known[l] = next++;
        }
        l = known[l];
    }
}

}  // namespace

std::vector<std::uint32_t> k_means(MatrixView<const float> given, std::size_t k, Rng rng) {
    HG_CHECK(given.rows() > 0 && k > 0, "clusters need rows and a number of them");
    constexpr int max_rounds = 50;
    // Sorted: who comes first in the data must not decide who is alike.
    std::vector<std::uint32_t> order(given.rows());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
        return std::ranges::lexicographical_compare(given.row(a), given.row(b));
    });
    Matrix<float> sorted(given.rows(), given.cols());
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::ranges::copy(given.row(order[i]), sorted.row(i).begin());
    }
    const MatrixView<const float> rows = std::as_const(sorted).view();
    auto centres = seeds(rows, std::min(k, rows.rows()), rng);
    std::vector<std::uint32_t> label(rows.rows());
    for (int round = 0; round < max_rounds; ++round) {
        bool has_moved = round == 0;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            const auto best = nearest_centre(rows.row(i), centres);
            has_moved = has_moved || best != label[i];
            label[i] = best;
        }
        if (!has_moved) {
            break;
        }
        auto next = centres_of(rows, label, centres.rows());
        for (std::size_t c = 0; c < centres.rows(); ++c) {
            if (next.sizes[c] > 0) {  // an empty cluster stays where it was
                std::ranges::copy(next.means.row(c), centres.row(c).begin());
            }
        }
    }
    std::vector<std::uint32_t> found(label.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        found[order[i]] = label[i];
    }
    renumber(found);
    return found;
}

std::vector<std::uint32_t> ward_clusters(MatrixView<const float> rows, std::size_t k, Rng rng) {
    constexpr std::size_t most_leaves = 256;
    auto label = k_means(rows, std::max(k, std::min(most_leaves, rows.rows() / 4)), std::move(rng));
    const std::size_t n = std::size_t{std::ranges::max(label)} + 1;
    auto groups = centres_of(rows, label, n);
    std::vector<std::uint32_t> parent(n);
    std::vector<std::uint32_t> alive;
    for (std::uint32_t g = 0; g < n; ++g) {
        parent[g] = g;
        alive.push_back(g);
    }
    while (alive.size() > k) {
        std::size_t first = 0;
        std::size_t second = 1;
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t a = 0; a < alive.size(); ++a) {
            for (std::size_t b = a + 1; b < alive.size(); ++b) {
                const double na = groups.sizes[alive[a]];
                const double nb = groups.sizes[alive[b]];
                const double cost =
                    na * nb / (na + nb) *
                    squared_distance(groups.means.row(alive[a]), groups.means.row(alive[b]));
                if (cost < least) {
                    least = cost;
                    first = a;
                    second = b;
                }
            }
        }
        const auto into = alive[first];
        const auto from = alive[second];
        const double total = groups.sizes[into] + groups.sizes[from];
        const auto share = static_cast<float>(groups.sizes[from] / total);
        for (std::size_t c = 0; c < rows.cols(); ++c) {
            auto& mean = groups.means(into, c);
            mean += share * (groups.means(from, c) - mean);
        }
        groups.sizes[into] = total;
        std::ranges::replace(parent, from, into);
        alive.erase(alive.begin() + static_cast<std::ptrdiff_t>(second));
    }
    for (auto& l : label) {
        l = parent[l];
    }
    renumber(label);
    return label;
}

}  // namespace hg::train
