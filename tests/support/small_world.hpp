// SPDX-License-Identifier: Apache-2.0
// small_world: a synthetic dataset with content whose truth is known: users and items fall into
// groups, and a user mostly takes items of the own group. Small enough for every model to fit in a
// moment.
#pragma once

#include "core/rng.hpp"
#include "data/dataset.hpp"
#include "encode/item_vectors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace hg::testing_support {

struct SmallWorldOptions {
    std::size_t n_users = 60;
    std::size_t n_items = 40;
    std::size_t n_groups = 4;
    std::size_t events_per_user = 8;
    double own_group = 0.9;  // probability that an event is of the user's group
    std::uint64_t seed = 11;
};

struct SmallWorld {
    data::Dataset dataset;
    encode::ItemVectors content;
    std::size_t n_groups = 0;

    [[nodiscard]] std::size_t group_of(ItemId item) const { return item.index() % n_groups; }
};

inline encode::ItemVectors group_vectors(std::size_t n_items, std::size_t n_groups, Rng rng) {
    encode::ItemVectors content;
    content.encoder = "groups";
    content.vectors = Matrix<float>(n_items, n_groups + 2);
    content.present.assign(n_items, 1);
    for (std::size_t item = 0; item < n_items; ++item) {
        for (auto& value : content.vectors.row(item)) {
            value = static_cast<float>(0.05 * rng.normal());
        }
        content.vectors(item, item % n_groups) += 1.0F;
    }
    return content;
}

/// No user meets an item twice; times count up by one hour.
inline SmallWorld small_world(const SmallWorldOptions& options = {}) {
    Rng rng{options.seed};
    SmallWorld world;
    world.n_groups = options.n_groups;
    auto& data = world.dataset;
    data.name = "small_world";
    data.hash = "small";
    data.event_types = {{.name = "click", .weight = 1.0F}, {.name = "dislike", .weight = -1.0F}};
    data.time_kind = data::TimeKind::real;
    for (std::size_t i = 0; i < options.n_items; ++i) {
        data.items.intern(fmt::format("item{}", i));
    }
    std::vector<data::Interaction> events;
    constexpr TimeMs hour = 3'600'000;
    for (std::uint32_t user = 0; user < options.n_users; ++user) {
        data.users.intern(fmt::format("user{}", user));
        std::vector<std::uint32_t> taken;
        while (taken.size() < std::min(options.events_per_user, options.n_items)) {
            auto item = static_cast<std::uint32_t>(rng.below(options.n_items));
            const bool wants_own = rng.uniform() < options.own_group;
            const bool is_own = item % options.n_groups == user % options.n_groups;
            const bool is_new = std::ranges::find(taken, item) == taken.end();
            const auto own_size = options.n_items / options.n_groups;
            if (!is_new || (wants_own && !is_own && taken.size() < own_size)) {
                continue;
            }
            taken.push_back(item);
            events.push_back({
                .user = UserId{user},
                .item = ItemId{item},
                .time = static_cast<TimeMs>(1'600'000'000'000) +
                        static_cast<TimeMs>(events.size()) * hour,
            });
        }
    }
    data.log =
        data::InteractionLog::from_events(std::move(events), options.n_users, options.n_items);
    data::Field group;
    group.name = "group";
    group.kind = data::FieldKind::category;
    group.present.assign(options.n_items, 1);
    group.code_offsets.resize(options.n_items + 1);
    std::iota(group.code_offsets.begin(), group.code_offsets.end(), std::int64_t{0});
    for (std::size_t g = 0; g < options.n_groups; ++g) {
        group.vocabulary.push_back(fmt::format("g{}", g));
    }
    for (std::size_t i = 0; i < options.n_items; ++i) {
        group.codes.push_back(static_cast<std::uint32_t>(i % options.n_groups));
    }
    data.item_fields = data::Catalogue{options.n_items, {std::move(group)}};
    data.user_fields = data::Catalogue{options.n_users, {}};
    world.content = group_vectors(options.n_items, options.n_groups, rng.split("content"));
    return world;
}

}  // namespace hg::testing_support
