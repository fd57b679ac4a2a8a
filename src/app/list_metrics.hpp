// SPDX-License-Identifier: Apache-2.0
// List metrics: what evaluate --metric adds to its table, by name: other measures of accuracy,
// diversity, novelty, exposure and calibration (src/evaluate, docs/concepts/metrics.md).
//
//   for (const auto* metric : find_list_metrics(names)) {
//       row.more.push_back(metric->value({.lists = lists, .index = index, .dataset = dataset}));
//   }
#pragma once

#include "app/query_index.hpp"
#include "encode/item_vectors.hpp"
#include "evaluate/diversity.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hg::app {

/// The answers to all queries, in their order. Borrows everything.
struct ListMetricInput {
    std::span<const evaluate::ItemList> lists;
    const QueryIndex& index;
    const data::Dataset& dataset;
    std::size_t k = 10;
    const encode::ItemVectors* content = nullptr;  // of these items; null: there is none
    bool is_sampled = false;  // accuracy is among few items, the lists are of all
};

struct ListMetric {
    std::string_view name;
    std::string_view summary;
    /// Nothing where the data lack what it needs (genres, item vectors), or for accuracy among few
    /// sampled items.
    std::optional<double> (*value)(const ListMetricInput& input);
};

[[nodiscard]] std::span<const ListMetric> list_metrics();

/// In the order given; "all" is all of them. Throws Error for a name that is none.
[[nodiscard]] std::vector<const ListMetric*> find_list_metrics(std::span<const std::string> names);

/// The first field of categories that every item has a row in.
[[nodiscard]] std::optional<evaluate::ItemGroups> genres_of(const data::Dataset& dataset);

}  // namespace hg::app
