// SPDX-License-Identifier: Apache-2.0
#include "data/new_item_split.hpp"

#include "core/rng.hpp"
#include "data/attributes.hpp"
#include "data/select_rows.hpp"

#include <fmt/format.h>

#include <limits>
#include <memory>
#include <numeric>
#include <utility>

namespace hg::data {
namespace {

/// Distinct liked items of events [first, end) that are not in the context where repeats are
/// dropped; at most `most` of them, 0 = all.
std::vector<ItemId> liked_from(
    const History& history,
    std::size_t first,
    const History& context,
    std::size_t most,
    Repeats repeats
) {
    std::vector<ItemId> liked;
    for (std::size_t i = first; i < history.size(); ++i) {
        const auto item = history.items[i];
        const bool is_repeat = repeats == Repeats::drop && holds(context.items, item);
        if (history.weight(i) > 0 && !is_repeat && !holds(liked, item)) {
            liked.push_back(item);
        }
        if (most > 0 && liked.size() == most) {
            break;
        }
    }
    return liked;
}

std::vector<std::uint8_t> new_users(std::size_t n_users, const NewItemOptions& options) {
    std::vector<std::uint32_t> order(n_users);
    std::iota(order.begin(), order.end(), 0U);
    Rng{options.seed}.split("new users").shuffle(std::span{order});
    std::vector<std::uint8_t> is_new(n_users, 0);
    for (std::size_t i = 0; i < order.size(); i += options.folds) {
        is_new[order[i]] = 1;
    }
    return is_new;
}

}  // namespace

Result<NewItemSplit> new_item_split(
    const InteractionLog& log, std::span<const ItemAge> ages, const NewItemOptions& options
) {
    HG_CHECK(ages.size() == log.n_items(), "every item needs its age");
    if (options.folds < 2) {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("{} folds leave no user to learn from", options.folds),
            "use at least 2 folds"
        );
    }
    const auto of_age = [&](ItemAge age) {
        return log.filter([&, age](UserId user, std::size_t i) {
            return ages[log.history(user).items[i].index()] == age;
        });
    };
    NewItemSplit split;
    split.old_log = of_age(ItemAge::old);
    const auto fresh = of_age(ItemAge::fresh);
    const auto is_new_user = new_users(log.n_users(), options);
    std::vector<std::vector<ItemId>> held_out(log.n_users());
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const UserId user{u};
        const auto old_items = split.old_log.history(user);
        if (old_items.size() < options.context) {
            continue;
        }
        const auto context = old_items.head(options.context);
        const auto ask = [&](std::vector<ItemId> targets, bool are_new_items) {
            if (!targets.empty()) {
                split.cases.push_back(
                    {{user, context, std::move(targets)}, is_new_user[u] != 0, are_new_items}
                );
            }
        };
        auto next =
            liked_from(old_items, options.context, context, options.targets, options.repeats);
        held_out[u] = next;
        ask(std::move(next), false);
        ask(liked_from(fresh.history(user), 0, {}, 0, Repeats::keep), true);
    }
    split.train = split.old_log.filter([&](UserId user, std::size_t i) {
        return is_new_user[user.index()] == 0 &&
               !holds(held_out[user.index()], split.old_log.history(user).items[i]);
    });
    return split;
}

KnownItems known_items(
    const Dataset& dataset, const InteractionLog& log, std::span<const ItemAge> ages
) {
    HG_CHECK(ages.size() == dataset.items.size(), "every item needs its age");
    constexpr auto unknown = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> row_of(ages.size(), unknown);
    std::vector<std::uint32_t> rows;
    KnownItems known;
    for (std::uint32_t i = 0; i < ages.size(); ++i) {
        if (ages[i] == ItemAge::old) {
            row_of[i] = static_cast<std::uint32_t>(rows.size());
            rows.push_back(i);
            known.items.push_back(ItemId{i});
            known.data.items.intern(dataset.items.name(i));
        }
    }
    known.data.name = dataset.name;
    known.data.hash = dataset.hash;
    known.data.users = dataset.users;
    known.data.event_types = dataset.event_types;
    known.data.time_kind = dataset.time_kind;
    known.data.repeats_count = dataset.repeats_count;
    known.data.user_fields = dataset.user_fields;
    if (dataset.item_fields.n_rows() == ages.size()) {
        known.data.item_fields = select_rows(dataset.item_fields, rows);
    }
    std::vector<Interaction> events;
    events.reserve(log.size());
    const auto& columns = log.columns();
    for (std::uint32_t u = 0; u < log.n_users(); ++u) {
        const auto begin = static_cast<std::size_t>(columns.user_offsets[u]);
        const auto end = static_cast<std::size_t>(columns.user_offsets[u + 1]);
        for (auto i = begin; i < end; ++i) {
            if (const auto row = row_of[columns.items[i].index()]; row != unknown) {
                events.push_back({
                    .user = UserId{u},
                    .item = ItemId{row},
                    .type = columns.types[i],
                    .weight = columns.weights[i],
                    .value = columns.values[i],
                    .time = columns.times[i],
                    .propensity = columns.propensities[i],
                });
            }
        }
    }
    known.data.log = InteractionLog::from_events(std::move(events), log.n_users(), rows.size());
    if (!dataset.user_fields.fields().empty()) {
        known.data.log.set_attributes(std::make_shared<AttributeTable>(dataset.user_fields));
    }
    return known;
}

}  // namespace hg::data
