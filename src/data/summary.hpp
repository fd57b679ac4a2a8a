// SPDX-License-Identifier: Apache-2.0
// Summary: what a person wants to know about a dataset before trusting anything trained on it.
#pragma once

#include "data/dataset.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hg::data {

/// Of events per user or per item, those without events left out.
struct Quantiles {
    std::size_t min = 0;
    std::size_t p25 = 0;
    std::size_t median = 0;
    std::size_t p75 = 0;
    std::size_t p90 = 0;
    std::size_t p99 = 0;
    std::size_t max = 0;
};

struct FieldSummary {
    std::string name;
    std::string kind;
    std::size_t present = 0;     // rows with a value
    double mean_words = 0;       // text: of the rows with a value
    std::size_t vocabulary = 0;  // category, categories
};

struct TypeSummary {
    std::string name;
    float weight = 1;
    std::size_t events = 0;
};

struct Summary {
    std::string name;
    std::string hash;
    std::string time;  // real, order, none
    std::size_t users = 0;
    std::size_t items = 0;
    std::size_t events = 0;
    std::size_t active_users = 0;   // with at least one event
    std::size_t touched_items = 0;  // with at least one event
    double density = 0;             // distinct (user, item) pairs / (active users x touched items)
    double repeats = 0;             // share of events of an item the user had already
    double positives = 0;           // share of events with a positive weight
    double with_value = 0;          // share of events with a rating or other value
    double with_propensity = 0;
    TimeMs first = 0;  // meaningful for real and order
    TimeMs last = 0;
    Quantiles per_user;
    Quantiles per_item;
    std::vector<TypeSummary> types;
    std::vector<FieldSummary> item_fields;
    std::vector<FieldSummary> user_fields;
};

[[nodiscard]] Summary summarise(const Dataset& data);
[[nodiscard]] nlohmann::json to_json(const Summary& summary);
[[nodiscard]] std::string_view to_string(TimeKind kind) noexcept;
/// Between blanks and line ends.
[[nodiscard]] std::size_t count_words(std::string_view text);

}  // namespace hg::data
