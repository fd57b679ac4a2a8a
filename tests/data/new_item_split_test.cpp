// SPDX-License-Identifier: Apache-2.0
#include "data/new_item_split.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <ranges>
#include <set>
#include <string>

namespace hg::data {
namespace {

using ::testing::ElementsAre;

struct World {
    InteractionLog log;
    std::vector<ItemAge> ages;
};

World random_world() {
    const auto n_users = *rc::gen::inRange<std::uint32_t>(2, 12);
    const auto n_items = *rc::gen::inRange<std::uint32_t>(3, 15);
    const auto n_events = *rc::gen::inRange<std::size_t>(2, 150);
    World world;
    for (std::uint32_t i = 0; i < n_items; ++i) {
        const auto age = *rc::gen::inRange(0, 4);
        world.ages.push_back(age == 0 ? ItemAge::fresh : age == 1 ? ItemAge::gone : ItemAge::old);
    }
    std::vector<Interaction> events;
    for (std::size_t i = 0; i < n_events; ++i) {
        events.push_back({
            .user = UserId{*rc::gen::inRange<std::uint32_t>(0, n_users)},
            .item = ItemId{*rc::gen::inRange<std::uint32_t>(0, n_items)},
            .weight = *rc::gen::inRange(0, 4) == 0 ? -1.0F : 1.0F,
            .time = static_cast<TimeMs>(i),
        });
    }
    world.log = InteractionLog::from_events(std::move(events), n_users, n_items);
    return world;
}

RC_GTEST_PROP(NewItemSplit, leaks_neither_new_items_nor_new_users_nor_targets, ()) {
    const auto world = random_world();
    const auto repeats = *rc::gen::element(Repeats::drop, Repeats::keep);
    const auto context = *rc::gen::inRange<std::size_t>(1, 4);
    const auto split = value_or_throw(new_item_split(
        world.log,
        world.ages,
        {.folds = 3, .context = context, .targets = 2, .seed = 5, .repeats = repeats}
    ));

    for (const auto item : split.train.columns().items) {
        RC_ASSERT(world.ages[item.index()] == ItemAge::old);
    }
    for (const auto& one : split.cases) {
        const auto user = one.asked.user;
        const auto trained = split.train.history(user).items;
        RC_ASSERT(!one.asked.targets.empty());
        RC_ASSERT(one.asked.context.size() == context);
        RC_ASSERT(!one.is_new_user || trained.empty());
        for (const auto item : one.asked.context.items) {
            RC_ASSERT(world.ages[item.index()] == ItemAge::old);
        }
        std::set<std::uint32_t> distinct;
        for (const auto target : one.asked.targets) {
            const auto age = one.are_new_items ? ItemAge::fresh : ItemAge::old;
            RC_ASSERT(world.ages[target.index()] == age);
            RC_ASSERT(std::ranges::find(trained, target) == trained.end());
            distinct.insert(target.value);
            const auto all = world.log.history(user);
            const bool is_liked = std::ranges::any_of(
                std::views::iota(std::size_t{0}, all.size()),
                [&](std::size_t i) { return all.items[i] == target && all.weight(i) > 0; }
            );
            RC_ASSERT(is_liked);
        }
        RC_ASSERT(distinct.size() == one.asked.targets.size());
    }
}

RC_GTEST_PROP(NewItemSplit, known_items_are_the_old_ones_with_their_names_and_events, ()) {
    const auto world = random_world();
    Dataset dataset;
    for (std::size_t i = 0; i < world.ages.size(); ++i) {
        dataset.items.intern("item" + std::to_string(i));
    }
    for (std::size_t u = 0; u < world.log.n_users(); ++u) {
        dataset.users.intern("user" + std::to_string(u));
    }

    const auto known = known_items(dataset, world.log, world.ages);

    RC_ASSERT(known.data.items.size() == known.items.size());
    RC_ASSERT(known.data.log.n_items() == known.items.size());
    std::size_t n_old_events = 0;
    for (const auto item : world.log.columns().items) {
        n_old_events += world.ages[item.index()] == ItemAge::old ? 1 : 0;
    }
    RC_ASSERT(known.data.log.size() == n_old_events);
    for (std::uint32_t row = 0; row < known.items.size(); ++row) {
        RC_ASSERT(world.ages[known.items[row].index()] == ItemAge::old);
        RC_ASSERT(known.data.items.name(row) == dataset.items.name(known.items[row].value));
    }
    for (std::uint32_t u = 0; u < world.log.n_users(); ++u) {
        const auto renumbered = known.data.log.history(UserId{u});
        std::size_t at = 0;
        const auto whole = world.log.history(UserId{u});
        for (std::size_t i = 0; i < whole.size(); ++i) {
            if (world.ages[whole.items[i].index()] == ItemAge::old) {
                RC_ASSERT(known.items[renumbered.items[at].index()] == whole.items[i]);
                ++at;
            }
        }
    }
}

TEST(NewItemSplit, an_old_user_keeps_what_comes_behind_the_targets) {
    std::vector<Interaction> events;
    for (std::uint32_t u = 0; u < 4; ++u) {
        for (const std::uint32_t item : {0U, 5U, 1U, 2U, 3U}) {
            events.push_back({.user = UserId{u}, .item = ItemId{item}});
        }
    }
    const auto log = InteractionLog::from_events(std::move(events), 4, 6);
    std::vector ages(6, ItemAge::old);
    ages[5] = ItemAge::fresh;

    const auto split = value_or_throw(
        new_item_split(log, ages, {.folds = 4, .context = 1, .targets = 2, .seed = 1})
    );

    ASSERT_EQ(split.cases.size(), 8U);  // four users, two questions each
    for (const auto& one : split.cases) {
        EXPECT_THAT(one.asked.context.items, ElementsAre(ItemId{0}));
        if (one.are_new_items) {
            EXPECT_THAT(one.asked.targets, ElementsAre(ItemId{5}));
        } else {
            EXPECT_THAT(one.asked.targets, ElementsAre(ItemId{1}, ItemId{2}));
        }
        const auto trained = split.train.history(one.asked.user).items;
        if (one.is_new_user) {
            EXPECT_TRUE(trained.empty());
        } else {
            EXPECT_THAT(trained, ElementsAre(ItemId{0}, ItemId{3}));
        }
    }
}

TEST(NewItemSplit, one_fold_is_refused) {
    const auto log = InteractionLog::from_events({{.user = UserId{0}, .item = ItemId{0}}}, 1, 1);
    const std::vector ages{ItemAge::old};

    EXPECT_FALSE(new_item_split(log, ages, {.folds = 1}).has_value());
}

}  // namespace
}  // namespace hg::data
