// SPDX-License-Identifier: Apache-2.0
#include "app/dataset_facts.hpp"

#include "data/summary.hpp"
#include "evaluate/exposure.hpp"
#include "evaluate/novelty.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <vector>

namespace hg::app {
namespace {

using data::Dataset;

void add_counts(DatasetFacts& facts, const Dataset& dataset) {
    std::vector<std::size_t> per_user;
    std::size_t n_distinct = 0;
    for (std::uint32_t u = 0; u < dataset.log.n_users(); ++u) {
        const auto history = dataset.log.history(UserId{u});
        if (history.empty()) {
            continue;
        }
        per_user.push_back(history.size());
        n_distinct += std::unordered_set<ItemId>(history.items.begin(), history.items.end()).size();
    }
    const auto& columns = dataset.log.columns();
    facts.n_events = dataset.log.size();
    facts.n_liked = static_cast<std::size_t>(std::ranges::count_if(columns.weights, [](float w) {
        return w > 0;
    }));
    facts.n_users = per_user.size();
    if (per_user.empty()) {
        return;
    }
    std::ranges::sort(per_user);
    facts.median_events = per_user[per_user.size() / 2];
    facts.p90_events = per_user[per_user.size() * 9 / 10];
    const auto n_short = std::ranges::lower_bound(per_user, std::size_t{5}) - per_user.begin();
    facts.short_history_share = static_cast<double>(n_short) / static_cast<double>(per_user.size());
    facts.repeat_share =
        static_cast<double>(facts.n_events - n_distinct) / static_cast<double>(facts.n_events);
    facts.density = static_cast<double>(n_distinct);  // divided by the cells once items are counted
}

void add_popularity(DatasetFacts& facts, const Dataset& dataset) {
    evaluate::Exposure events{
        .counts = std::vector<std::uint64_t>(dataset.items.size()), .total = 0
    };
    for (const auto item : dataset.log.columns().items) {
        ++events.counts[item.index()];
        ++events.total;
    }
    facts.n_items = evaluate::n_distinct(events);
    facts.popularity_gini = evaluate::gini(events, evaluate::GiniOver::shown_items);
    const auto is_head = evaluate::head_items(events.counts);
    std::uint64_t on_head = 0;
    for (std::size_t i = 0; i < is_head.size(); ++i) {
        on_head += is_head[i] != 0 ? events.counts[i] : 0;
    }
    if (events.total > 0) {
        facts.head_event_share = static_cast<double>(on_head) / static_cast<double>(events.total);
        facts.density /= static_cast<double>(facts.n_users) * static_cast<double>(facts.n_items);
    }
}

void add_newcomers(DatasetFacts& facts, const Dataset& dataset) {
    const auto& columns = dataset.log.columns();
    if (dataset.time_kind != data::TimeKind::real || columns.times.empty()) {
        return;
    }
    std::vector<TimeMs> times(columns.times.begin(), columns.times.end());
    std::ranges::sort(times);
    constexpr double ms_per_day = 86'400'000;
    facts.days = static_cast<double>(times.back() - times.front()) / ms_per_day;
    const auto cut = times[times.size() * 4 / 5];
    std::vector<std::uint8_t> known(dataset.items.size());
    for (std::size_t i = 0; i < columns.items.size(); ++i) {
        if (columns.times[i] < cut) {
            known[columns.items[i].index()] = 1;
        }
    }
    std::size_t n_late = 0;
    std::size_t by_new_users = 0;
    std::size_t on_new_items = 0;
    for (std::uint32_t u = 0; u < dataset.log.n_users(); ++u) {
        const auto history = dataset.log.history(UserId{u});
        const bool is_new = !history.empty() && history.times.front() >= cut;
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.times[i] < cut) {
                continue;
            }
            ++n_late;
            by_new_users += is_new ? 1 : 0;
            on_new_items += known[history.items[i].index()] == 0 ? 1 : 0;
        }
    }
    if (n_late == 0) {
        return;
    }
    facts.new_user_share = static_cast<double>(by_new_users) / static_cast<double>(n_late);
    facts.new_item_share = static_cast<double>(on_new_items) / static_cast<double>(n_late);
}

void add_text(DatasetFacts& facts, const Dataset& dataset) {
    const auto n = dataset.item_fields.n_rows();
    std::vector<std::size_t> words(n);
    for (const auto& field : dataset.item_fields.fields()) {
        if (field.kind != data::FieldKind::text) {
            ++facts.n_other_fields;
            continue;
        }
        facts.text_fields += (facts.text_fields.empty() ? "" : ", ") + field.name;
        for (std::size_t row = 0; row < n; ++row) {
            words[row] += data::count_words(field.texts[row]);
        }
    }
    std::size_t with_text = 0;
    std::size_t total = 0;
    for (const auto count : words) {
        with_text += count > 0 ? 1 : 0;
        total += count;
    }
    if (with_text == 0) {
        return;
    }
    facts.text_coverage = static_cast<double>(with_text) / static_cast<double>(n);
    facts.mean_words = static_cast<double>(total) / static_cast<double>(with_text);
}

}  // namespace

DatasetFacts describe_dataset(const Dataset& dataset) {
    DatasetFacts facts;
    facts.name = dataset.name;
    facts.hash = dataset.hash;
    facts.n_catalogue = dataset.items.size();
    facts.time_kind = dataset.time_kind;
    add_counts(facts, dataset);
    add_popularity(facts, dataset);
    add_newcomers(facts, dataset);
    add_text(facts, dataset);
    return facts;
}

nlohmann::json to_json(const DatasetFacts& facts) {
    const auto optional = [](const std::optional<double>& value) {
        return value ? nlohmann::json(*value) : nlohmann::json{};
    };
    return {
        {"name", facts.name},
        {"hash", facts.hash},
        {"events", facts.n_events},
        {"liked_events", facts.n_liked},
        {"users", facts.n_users},
        {"items", facts.n_items},
        {"catalogue_items", facts.n_catalogue},
        {"density", facts.density},
        {"median_events_per_user", facts.median_events},
        {"p90_events_per_user", facts.p90_events},
        {"short_history_share", facts.short_history_share},
        {"repeat_share", facts.repeat_share},
        {"popularity_gini", facts.popularity_gini},
        {"head_event_share", facts.head_event_share},
        {"time", data::to_string(facts.time_kind)},
        {"days", facts.days},
        {"new_user_share", optional(facts.new_user_share)},
        {"new_item_share", optional(facts.new_item_share)},
        {"text_fields", facts.text_fields},
        {"text_coverage", facts.text_coverage},
        {"mean_words", facts.mean_words},
        {"other_item_fields", facts.n_other_fields},
    };
}

}  // namespace hg::app
