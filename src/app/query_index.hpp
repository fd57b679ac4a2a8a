// SPDX-License-Identifier: Apache-2.0
// QueryIndex: the questions of one protocol in the order in which outcomes hold their values, and
// means over users.
//
//   const auto index = index_of(dataset, protocol);
//   const double ndcg = mean_of(by_user(outcome.accuracy.ndcg, index));
#pragma once

#include "app/protocol.hpp"
#include "evaluate/exposure.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hg::app {

/// Borrows the protocol.
struct QueryIndex {
    std::vector<const Query*> queries;
    std::vector<std::size_t> user;  // dense index of each query's user
    std::size_t n_users = 0;
    std::vector<evaluate::ItemList> histories;
    std::vector<std::uint64_t> popularity;              // liked events of the first training log
    std::vector<std::uint64_t> users_of_item;           // who liked it there
    std::size_t n_training_users = 0;                   // with events there
    std::vector<std::size_t> trial;                     // of each query
    std::vector<std::vector<std::uint8_t>> is_popular;  // by trial and item: the 100 most liked
};

[[nodiscard]] QueryIndex index_of(const data::Dataset& dataset, const Protocol& protocol);

/// The mean of each user's values: the unit that is resampled.
[[nodiscard]] std::vector<double> by_user(std::span<const double> values, const QueryIndex& index);

/// The mean of each user's values among the queries that are kept; users without one are left out.
template <typename Keep>
[[nodiscard]] std::vector<double> by_user_where(
    std::span<const double> values, const QueryIndex& index, Keep&& keep
) {
    std::vector<double> sums(index.n_users);
    std::vector<double> counts(index.n_users);
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (keep(*index.queries[i])) {
            sums[index.user[i]] += values[i];
            counts[index.user[i]] += 1;
        }
    }
    std::vector<double> means;
    for (std::size_t u = 0; u < sums.size(); ++u) {
        if (counts[u] > 0) {
            means.push_back(sums[u] / counts[u]);
        }
    }
    return means;
}

}  // namespace hg::app
