// SPDX-License-Identifier: Apache-2.0
#include "app/new_items.hpp"

#include "core/error.hpp"
#include "core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>

namespace hg::app {
namespace {

constexpr double oldest = -std::numeric_limits<double>::infinity();

/// When each item came, in units of its own; -infinity = unknown, which is old.
struct Births {
    std::vector<double> values;
    std::string name;  // "year", "first event", "a random draw"
};

Births by_field(const data::Dataset& dataset, const data::Field& field) {
    if (field.kind != data::FieldKind::number) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format("--new-by {}: the field holds no numbers", field.name),
            "name a number such as a year, or use first-event or random",
        };
    }
    Births births{std::vector(dataset.items.size(), oldest), field.name};
    for (std::size_t i = 0; i < std::min(births.values.size(), field.present.size()); ++i) {
        if (field.present[i] != 0) {
            births.values[i] = static_cast<double>(field.numbers[i]);
        }
    }
    return births;
}

Births by_first_event(const data::Dataset& dataset) {
    if (dataset.time_kind != data::TimeKind::real) {
        throw Error{
            ErrorCode::invalid_argument,
            "--new-by first-event needs real times, this dataset has none",
            "use a number field of the items (--new-by year) or --new-by random",
        };
    }
    Births births{std::vector(dataset.items.size(), oldest), "first event (ms)"};
    const auto& columns = dataset.log.columns();
    for (std::size_t i = 0; i < columns.items.size(); ++i) {
        auto& first = births.values[columns.items[i].index()];
        const auto time = static_cast<double>(columns.times[i]);
        first = first == oldest ? time : std::min(first, time);
    }
    return births;
}

Births by_chance(const data::Dataset& dataset, std::uint64_t seed) {
    Births births{{}, "a random draw"};
    auto rng = Rng{seed}.split("new items");
    for (std::size_t i = 0; i < dataset.items.size(); ++i) {
        births.values.push_back(rng.uniform());
    }
    return births;
}

Births births_of(const data::Dataset& dataset, const ProtocolOptions& options) {
    if (options.new_by == "first-event") {
        return by_first_event(dataset);
    }
    if (options.new_by == "random") {
        return by_chance(dataset, options.seed);
    }
    if (options.new_by != "auto") {
        const auto* field = dataset.item_fields.find(options.new_by);
        if (field == nullptr) {
            throw Error{
                ErrorCode::invalid_argument,
                fmt::format("--new-by {}: items have no such field", options.new_by),
                "name a number field of the items, or use first-event or random",
            };
        }
        return by_field(dataset, *field);
    }
    for (const auto* name : {"year", "release_year"}) {
        const auto* field = dataset.item_fields.find(name);
        if (field != nullptr && field->kind == data::FieldKind::number) {
            return by_field(dataset, *field);
        }
    }
    return dataset.time_kind == data::TimeKind::real ? by_first_event(dataset)
                                                     : by_chance(dataset, options.seed);
}

/// The largest value from which on there is at least that share of the items below `before`; items
/// nobody met do not count.
double value_of_last(
    const Births& births, std::span<const std::size_t> events, double share, double before
) {
    std::map<double, std::size_t, std::greater<>> items;
    std::size_t total = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (events[i] > 0 && births.values[i] < before) {
            ++items[births.values[i]];
            ++total;
        }
    }
    std::size_t n = 0;
    for (const auto& [value, count] : items) {
        n += count;
        if (static_cast<double>(n) >= share * static_cast<double>(total)) {
            return value;
        }
    }
    return oldest;
}

std::vector<ItemId> items_of(std::span<const data::ItemAge> ages, data::ItemAge age) {
    std::vector<ItemId> items;
    for (std::uint32_t i = 0; i < ages.size(); ++i) {
        if (ages[i] == age) {
            items.push_back(ItemId{i});
        }
    }
    return items;
}

/// What queries borrow from.
struct Storage {
    data::NewItemSplit split;
    std::vector<ItemId> old_items;
    std::vector<ItemId> new_items;
};

}  // namespace

NewItems find_new_items(const data::Dataset& dataset, const ProtocolOptions& options) {
    const auto births = births_of(dataset, options);
    const auto events = dataset.log.events_per_item();
    constexpr double never = std::numeric_limits<double>::infinity();
    const double test_from =
        options.new_since.value_or(value_of_last(births, events, options.new_share, never));
    const bool is_test = options.part == Part::test;
    const double from =
        is_test ? test_from : value_of_last(births, events, options.new_share, test_from);
    const double until = is_test ? never : test_from;
    NewItems found;
    std::size_t n_new = 0;
    std::size_t n_old = 0;
    for (std::size_t i = 0; i < births.values.size(); ++i) {
        const auto value = births.values[i];
        const bool is_new = value >= from && value < until && value != oldest;
        const bool is_gone = value >= until || (is_new && events[i] == 0);
        found.ages.push_back(
            is_gone  ? data::ItemAge::gone
            : is_new ? data::ItemAge::fresh
                     : data::ItemAge::old
        );
        n_new += found.ages.back() == data::ItemAge::fresh ? 1 : 0;
        n_old += found.ages.back() == data::ItemAge::old ? 1 : 0;
    }
    if (n_new < 2 || n_old < 2) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "dataset {}: {} new items and {} old ones from {} {} on",
                dataset.name,
                n_new,
                n_old,
                births.name,
                from
            ),
            "choose another --new-since or --new-share",
        };
    }
    found.what = fmt::format(
        "{} items from {} {} on{}",
        n_new,
        births.name,
        from,
        is_test ? "" : fmt::format(", before {}", until)
    );
    return found;
}

Trial new_items_trial(
    const data::Dataset& dataset,
    NewItems new_items,
    const ProtocolOptions& options,
    data::Repeats repeats
) {
    auto storage = std::make_shared<Storage>();
    storage->split = value_or_throw(data::new_item_split(
        dataset.log,
        new_items.ages,
        {.folds = options.folds,
         .context = std::ranges::max(options.contexts),
         .targets = options.max_targets,
         .seed = options.seed,
         .repeats = repeats}
    ));
    storage->old_items = items_of(new_items.ages, data::ItemAge::old);
    storage->new_items = items_of(new_items.ages, data::ItemAge::fresh);
    Trial trial{
        .train = storage->split.train,
        .queries = {},
        .ages = std::move(new_items.ages),
        .storage = storage
    };
    for (auto& one : storage->split.cases) {
        trial.queries.push_back({
            .user = one.asked.user,
            .history = one.asked.context,
            .targets = std::move(one.asked.targets),
            .context = one.asked.context.size(),
            .group = static_cast<std::size_t>(one.are_new_items ? 0 : 2) +
                     static_cast<std::size_t>(one.is_new_user ? 0 : 1),
            .candidates = one.are_new_items ? storage->new_items : storage->old_items,
        });
    }
    return trial;
}

}  // namespace hg::app
