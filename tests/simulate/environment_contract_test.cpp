// SPDX-License-Identifier: Apache-2.0
// What every world of the registry promises, with and without the leave rule.
#include "core/rng.hpp"
#include "simulate/environment_batch.hpp"
#include "simulate/world_entry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace hg::simulate {
namespace {

struct Case {
    std::string name;
    bool may_leave;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const auto* entry : worlds()) {
        all.push_back({std::string{entry->name}, false});
        all.push_back({std::string{entry->name}, true});
    }
    return all;
}

std::unique_ptr<Environment> make(const Case& wanted) {
    Settings settings;
    if (wanted.may_leave) {
        settings.set("leave.temper", "20");
        settings.set("leave.max_similar", "6");
    }
    return make_world(wanted.name, settings);
}

void draw_slate(const EnvironmentFacts& facts, Rng& rng, std::vector<std::uint32_t>& slate) {
    std::vector<std::uint32_t> order(facts.n_candidates);
    std::iota(order.begin(), order.end(), 0U);
    rng.shuffle(std::span{order});
    slate.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(facts.slate_size));
}

struct Recorded {
    std::vector<double> rewards;
    std::vector<float> seen;

    bool operator==(const Recorded&) const = default;
};

Recorded play(Environment& world, std::uint64_t policy_seed, std::size_t steps) {
    Recorded recorded;
    Rng rng{policy_seed};
    std::vector<std::uint32_t> slate;
    for (std::size_t t = 0; t < steps; ++t) {
        draw_slate(world.facts(), rng, slate);
        const auto step = world.step(slate);
        recorded.rewards.push_back(step.reward);
        const auto seen = world.observe();
        recorded.seen.insert(recorded.seen.end(), seen.user.begin(), seen.user.end());
        if (!seen.items.empty()) {
            recorded.seen.push_back(seen.items(0, 0));
        }
        if (step.ended || step.truncated) {
            break;
        }
    }
    return recorded;
}

class World : public testing::TestWithParam<Case> {};

TEST_P(World, same_seed_same_episode_other_seed_differs) {
    const auto world = make(GetParam());
    world->reset(11);
    const auto first = play(*world, 1, 200);
    world->reset(11);
    const auto again = play(*world, 1, 200);
    world->reset(12);
    const auto other = play(*world, 1, 200);

    EXPECT_EQ(first, again);
    EXPECT_NE(first, other);
}

TEST_P(World, a_clone_has_the_same_future_and_a_life_of_its_own) {
    const auto world = make(GetParam());
    world->reset(5);
    Rng rng{2};
    std::vector<std::uint32_t> slate;
    draw_slate(world->facts(), rng, slate);
    (void)world->step(slate);
    const auto clone = world->clone();

    const auto of_clone = play(*clone, 3, 100);
    const auto of_world = play(*world, 3, 100);

    EXPECT_EQ(of_clone, of_world);
}

TEST_P(World, stays_within_its_declared_bounds_for_5000_random_steps) {
    const auto world = make(GetParam());
    const auto& facts = world->facts();
    Rng rng{9};
    std::vector<std::uint32_t> slate;
    std::uint64_t episode = 0;
    std::size_t length = 0;
    world->reset(episode);
    for (int t = 0; t < 5000; ++t) {
        const auto seen = world->observe();
        ASSERT_EQ(seen.user.size(), facts.user_size);
        ASSERT_EQ(seen.items.rows(), facts.n_candidates);
        ASSERT_EQ(seen.items.cols(), facts.item_size);
        ASSERT_EQ(seen.item_ids.size(), facts.n_candidates);
        for (const float x : seen.user) {
            ASSERT_GE(x, facts.user_low);
            ASSERT_LE(x, facts.user_high);
        }
        for (std::size_t i = 0; i < facts.n_candidates; ++i) {
            for (const float x : seen.items.row(i)) {
                ASSERT_GE(x, facts.item_low);
                ASSERT_LE(x, facts.item_high);
            }
            ASSERT_TRUE(facts.n_items == 0 || seen.item_ids[i] < facts.n_items);
        }
        ASSERT_TRUE(facts.n_states == 0 || seen.state < facts.n_states);
        draw_slate(facts, rng, slate);
        const auto step = world->step(slate);
        ASSERT_EQ(step.responses.size(), facts.slate_size);
        ASSERT_GE(step.reward, facts.reward_low);
        ASSERT_LE(step.reward, facts.reward_high);
        ASSERT_FALSE(step.ended && step.truncated);
        ++length;
        ASSERT_TRUE(facts.step_limit == 0 || length <= facts.step_limit);
        if (step.ended || step.truncated) {
            world->reset(++episode);
            length = 0;
        }
    }
    EXPECT_GT(episode, 0U) << "no episode came to an end";
}

TEST_P(World, refuses_slates_that_are_not_slates) {
    const auto world = make(GetParam());
    const auto k = world->facts().slate_size;
    world->reset(1);

    EXPECT_THROW((void)world->step(std::vector<std::uint32_t>(k + 1)), Error);
    std::vector<std::uint32_t> slate(k);
    std::iota(slate.begin(), slate.end(), 0U);
    slate.back() = static_cast<std::uint32_t>(world->facts().n_candidates);
    EXPECT_THROW((void)world->step(slate), Error);
}

TEST_P(World, a_batch_of_many_is_many_alone) {
    const auto world = make(GetParam());
    const auto& facts = world->facts();
    constexpr std::size_t n_users = 3;
    const auto batch = make_batch(*world, n_users);
    const auto alone = make_batch(*world, 1);
    batch->reset(4);
    alone->reset(4);
    const auto bare = world->clone();
    std::uint64_t episode = 0;
    bare->reset(Rng{4}.split(0).split(episode)());
    Matrix<std::uint32_t> slates(n_users, facts.slate_size);
    std::vector<std::uint32_t> slate;
    Rng rng{8};
    for (int t = 0; t < 100; ++t) {
        for (std::size_t u = 0; u < n_users; ++u) {
            draw_slate(facts, rng, slate);
            std::ranges::copy(slate, slates.row(u).begin());
        }
        const Matrix<std::uint32_t> first(
            1, facts.slate_size, {slates.row(0).begin(), slates.row(0).end()}
        );
        batch->step(slates.view());
        alone->step(first.view());
        ASSERT_EQ(batch->rewards()[0], alone->rewards()[0]);
        ASSERT_TRUE(std::ranges::equal(batch->users().row(0), alone->users().row(0)));
        ASSERT_TRUE(std::ranges::equal(batch->items().row(0), alone->items().row(0)));
        ASSERT_TRUE(std::ranges::equal(batch->next_users().row(0), alone->next_users().row(0)));
        const auto transition = bare->step(first.row(0));
        const auto after = bare->observe();  // of the episode that may have ended
        ASSERT_TRUE(std::ranges::equal(batch->next_users().row(0), after.user));
        ASSERT_TRUE(std::ranges::equal(batch->next_item_ids().row(0), after.item_ids));
        if (transition.ended || transition.truncated) {
            bare->reset(Rng{4}.split(0).split(++episode)());
        }
        ASSERT_TRUE(std::ranges::equal(batch->item_ids().row(0), bare->observe().item_ids));
    }
}

INSTANTIATE_TEST_SUITE_P(
    registry,
    World,
    testing::ValuesIn(cases()),
    [](const testing::TestParamInfo<Case>& info) {
        return info.param.name + (info.param.may_leave ? "_leaving" : "");
    }
);

TEST(Worlds, an_unknown_name_is_answered_with_the_known_ones) {
    try {
        (void)make_world("interest_evolutoin");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string{error.what()}.find("interest_evolution"), std::string::npos);
    }
}

}  // namespace
}  // namespace hg::simulate
