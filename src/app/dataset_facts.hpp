// SPDX-License-Identifier: Apache-2.0
// DatasetFacts: what decides how far recommendations can go on this data: size, sparsity,
// newcomers, repeats, text. For reports and `honeyguide advise`.
//
//   const DatasetFacts facts = describe_dataset(dataset);
#pragma once

#include "data/dataset.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace hg::app {

struct DatasetFacts {
    std::string name;
    std::string hash;
    std::size_t n_events = 0;
    std::size_t n_liked = 0;  // events with a weight > 0
    std::size_t n_users = 0;  // with events
    std::size_t n_items = 0;  // with events
    std::size_t n_catalogue = 0;
    double density = 0;             // distinct (user, item) pairs of users x items
    std::size_t median_events = 0;  // per user
    std::size_t p90_events = 0;
    double short_history_share = 0;  // of users, with fewer than 5 events
    double repeat_share = 0;         // of events, on an item the user had before
    double popularity_gini = 0;      // of events over items
    double head_event_share = 0;     // of events, on the most popular fifth
    data::TimeKind time_kind = data::TimeKind::none;
    double days = 0;  // real time only
    /// Real time only: of the events in the last fifth, by users (on items) not seen in the first
    /// four.
    std::optional<double> new_user_share;
    std::optional<double> new_item_share;
    std::string text_fields;   // "title, description"; empty when there are none
    double text_coverage = 0;  // of catalogue items, with a text
    double mean_words = 0;     // of items with a text
    std::size_t n_other_fields = 0;
};

/// O(events log events).
[[nodiscard]] DatasetFacts describe_dataset(const data::Dataset& dataset);

[[nodiscard]] nlohmann::json to_json(const DatasetFacts& facts);

}  // namespace hg::app
