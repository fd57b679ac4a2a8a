// SPDX-License-Identifier: Apache-2.0
#include "train/pair_memory.hpp"

#include "core/memory_limit.hpp"
#include "core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace hg::train {
namespace {

constexpr int draws = 200;
// Index and value, and once more while they are written.
constexpr double bytes_per_pair = 2 * (sizeof(std::uint32_t) + sizeof(float));

std::vector<double> upper_bounds(const Csr& users) {
    std::vector<double> bounds(users.n_cols, 0.0);
    for (std::size_t user = 0; user < users.n_rows(); ++user) {
        const auto items = users.row(user);
        for (const auto item : items) {
            bounds[item] += static_cast<double>(items.size() - 1);
        }
    }
    const auto most = static_cast<double>(std::max<std::size_t>(users.n_cols, 1) - 1);
    for (auto& bound : bounds) {
        bound = std::min(bound, most);
    }
    return bounds;
}

/// Of one item; `last_seen` [n_items] remembers by `stamp` what was counted.
std::size_t count_pairs(
    const Csr& users,
    std::span<const std::uint32_t> users_of_item,
    std::vector<int>& last_seen,
    int stamp
) {
    std::size_t count = 0;
    for (const auto user : users_of_item) {
        for (const auto other : users.row(user)) {
            count += last_seen[other] == stamp ? 0 : 1;
            last_seen[other] = stamp;
        }
    }
    return count - 1;  // the item itself
}

}  // namespace

double estimate_pairs(const Csr& users, std::size_t most_per_item) {
    auto cumulative = upper_bounds(users);
    std::partial_sum(cumulative.begin(), cumulative.end(), cumulative.begin());
    const double total = cumulative.empty() ? 0.0 : cumulative.back();
    if (total == 0) {
        return 0;
    }
    const auto items = transpose(users);
    std::vector<int> last_seen(users.n_cols, -1);
    Rng rng{7};
    double shares = 0;
    for (int draw = 0; draw < draws; ++draw) {
        const auto found = std::ranges::upper_bound(cumulative, rng.uniform() * total);
        const auto item =
            static_cast<std::size_t>(std::min(found, cumulative.end() - 1) - cumulative.begin());
        const double bound = cumulative[item] - (item == 0 ? 0.0 : cumulative[item - 1]);
        auto pairs = count_pairs(users, items.row(item), last_seen, draw);
        pairs = most_per_item == 0 ? pairs : std::min(pairs, most_per_item);
        shares += static_cast<double>(pairs) / bound;
    }
    return total * shares / draws;
}

void check_pairs_fit(const PairBudget& budget) {
    check_pair_count({
        .model = budget.model,
        .pairs = estimate_pairs(budget.users, budget.most_per_item),
        .n_items = budget.users.n_cols,
        .limit_bytes = budget.limit_bytes,
        .hint = budget.hint,
    });
}

void check_pair_count(const PairCount& count) {
    check_memory({
        .what = fmt::format(
            "{}: about {:.2g} pairs of {} items", count.model, count.pairs, count.n_items
        ),
        .bytes = count.pairs * bytes_per_pair,
        .limit_bytes = count.limit_bytes,
        .hint = count.hint,
    });
}

}  // namespace hg::train
