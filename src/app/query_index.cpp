// SPDX-License-Identifier: Apache-2.0
#include "app/query_index.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <ranges>

namespace hg::app {
namespace {

constexpr std::size_t popular_items = 100;  // what anybody would have shown

/// Liked events of each item.
std::vector<std::uint64_t> popularity_of(const data::InteractionLog& log, std::size_t n_items) {
    std::vector<std::uint64_t> counts(n_items);
    const auto& columns = log.columns();
    for (std::size_t i = 0; i < columns.items.size(); ++i) {
        if (columns.weights[i] > 0) {
            ++counts[columns.items[i].index()];
        }
    }
    return counts;
}

std::vector<std::uint8_t> most_popular(std::span<const std::uint64_t> counts, std::size_t n) {
    std::vector<std::uint32_t> order(counts.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::stable_sort(order, std::greater{}, [counts](std::uint32_t item) {
        return counts[item];
    });
    std::vector<std::uint8_t> is_popular(order.size());
    for (const auto item : order | std::views::take(n)) {
        is_popular[item] = 1;
    }
    return is_popular;
}

/// Of each item, how many users liked it.
std::vector<std::uint64_t> users_of_items(const data::InteractionLog& log, std::size_t n_items) {
    constexpr auto nobody = static_cast<std::uint32_t>(-1);
    std::vector<std::uint64_t> counts(n_items);
    std::vector<std::uint32_t> last(n_items, nobody);
    for (std::uint32_t user = 0; user < log.n_users(); ++user) {
        const auto history = log.history(UserId{user});
        for (std::size_t i = 0; i < history.size(); ++i) {
            const auto item = history.items[i].index();
            if (history.weight(i) > 0 && last[item] != user) {
                last[item] = user;
                ++counts[item];
            }
        }
    }
    return counts;
}

std::size_t users_with_events(const data::InteractionLog& log) {
    std::size_t count = 0;
    for (std::uint32_t user = 0; user < log.n_users(); ++user) {
        count += log.history(UserId{user}).size() > 0 ? 1 : 0;
    }
    return count;
}

}  // namespace

QueryIndex index_of(const data::Dataset& dataset, const Protocol& protocol) {
    QueryIndex index;
    std::map<std::uint32_t, std::size_t> dense;
    for (std::size_t number = 0; number < protocol.trials.size(); ++number) {
        const auto& trial = protocol.trials[number];
        auto counts = popularity_of(trial.train, dataset.items.size());
        index.is_popular.push_back(most_popular(counts, popular_items));
        if (number == 0) {
            index.popularity = std::move(counts);
            index.users_of_item = users_of_items(trial.train, dataset.items.size());
            index.n_training_users = users_with_events(trial.train);
        }
        for (const auto& query : trial.queries) {
            index.queries.push_back(&query);
            index.trial.push_back(number);
            index.user.push_back(dense.emplace(query.user.value, dense.size()).first->second);
            index.histories.emplace_back(query.history.items.begin(), query.history.items.end());
        }
    }
    index.n_users = dense.size();
    return index;
}

std::vector<double> by_user(std::span<const double> values, const QueryIndex& index) {
    std::vector<double> sums(index.n_users);
    std::vector<double> counts(index.n_users);
    for (std::size_t i = 0; i < values.size(); ++i) {
        sums[index.user[i]] += values[i];
        counts[index.user[i]] += 1;
    }
    for (std::size_t u = 0; u < sums.size(); ++u) {
        sums[u] = counts[u] > 0 ? sums[u] / counts[u] : 0;
    }
    return sums;
}

}  // namespace hg::app
