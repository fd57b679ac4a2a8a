// SPDX-License-Identifier: Apache-2.0
// A served run as a world: what an actor learns in must be what it will serve.
#include "serve/served_world.hpp"

#include "core/dot.hpp"
#include "core/error.hpp"
#include "data/binary_dataset.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "policy/knobs.hpp"
#include "policy/served_items.hpp"
#include "serve/engine.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hg::serve {
namespace {

using testing::HasSubstr;

nlohmann::json slate_of(Engine& engine, const std::string& body) {
    return nlohmann::json::parse(
        value_or_throw(engine.recommend(value_or_throw(parse_recommend(body))))
    );
}

class ServedWorldTest : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<testing_support::TemporaryFolder>();
        const auto world = testing_support::small_world({.events_per_user = 10});
        const auto data = *folder / "data";
        std::filesystem::create_directories(data);
        data::write_binary_dataset(world.dataset, data, {});
        dataset = std::make_shared<const data::Dataset>(value_or_throw(data::open_dataset(data)));
        for (const auto* model : {"gaussian", "popularity"}) {
            SilentProgress silent;
            train::fit_run(
                {.entry = train::find_model(model),
                 .settings = {},
                 .dataset = *dataset,
                 .folder = *folder / model},
                silent,
                {}
            );
        }
    }

    static void TearDownTestSuite() {
        dataset.reset();
        folder.reset();
    }

    static ServedWorldOptions options() {
        return {
            .data = (*folder / "data").string(), .candidates = 20, .step_limit = 5, .min_liked = 4
        };
    }

    static std::unique_ptr<simulate::Environment> open(
        const ServedWorldOptions& options, const std::string& run = "gaussian"
    ) {
        SilentProgress silent;
        return open_served_world(*folder / run, options, silent, {});
    }

    /// The place of the first candidate the user likes, or dislikes.
    static std::optional<std::uint32_t> find(const simulate::Environment& world, bool liked) {
        for (std::uint32_t place = 0; place < world.facts().n_candidates; ++place) {
            if ((world.expected_reward(std::array{place}).value() > 0) == liked) {
                return place;
            }
        }
        return std::nullopt;
    }

    static inline std::unique_ptr<testing_support::TemporaryFolder> folder;
    static inline std::shared_ptr<const data::Dataset> dataset;
};

TEST_F(ServedWorldTest, a_slate_is_made_of_what_the_server_would_show) {
    const policy::Knobs knobs{.exploration = .7, .novelty = -.4};
    const auto world = open(options());
    world->reset(3);
    const auto store = std::make_unique<data::SqliteEventStore>(
        data::SqliteStoreOptions{.file = *folder / "events.db"}
    );
    const ManualClock clock{1'700'000'000'000};
    Engine engine{
        {.policy = {.epsilon = 0, .temperature = 0, .max_candidates = 40}}, dataset, *store, clock
    };
    SilentProgress silent;
    engine.publish(
        {.run = *folder / "gaussian",
         .data = *folder / "data",
         .admit =
             [&](const auto& /*run*/) {
                 return Admitted{.knobs = std::make_shared<policy::ConstantKnobs>(knobs)};
             }},
        silent,
        {}
    );

    const auto place = find(*world, true).value();
    const auto clicked = dataset->items.name(world->observe().item_ids[place]);
    (void)world->step(std::array{place});
    const auto body =
        fmt::format(R"({{"history": [{{"item_id": "{}", "event": "click"}}], "k": 39}})", clicked);
    const auto answer = slate_of(engine, body);

    // The world offers the best 20 of the ranker, in its order.
    const auto seen = world->observe();
    ASSERT_EQ(seen.items.rows(), 20U);
    EXPECT_TRUE(std::ranges::none_of(seen.item_ids, [&](auto row) {
        return dataset->items.name(row) == clicked;
    }));
    Engine greedy{
        {.policy = {.epsilon = 0, .temperature = 0, .max_candidates = 40}}, dataset, *store, clock
    };
    greedy.publish({.run = *folder / "gaussian", .data = *folder / "data"}, silent, {});
    const auto ranked = slate_of(greedy, body);
    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_EQ(ranked["items"][i]["item_id"], dataset->items.name(seen.item_ids[i])) << i;
    }
    EXPECT_NE(ranked["items"], answer["items"]) << "these knobs do something";
}

TEST_F(ServedWorldTest, an_item_shows_its_score_and_signals_in_their_own_units) {
    const auto world = open(options());
    world->reset(5);
    const auto seen = world->observe();

    for (std::size_t c = 0; c < seen.items.cols(); ++c) {
        double mean = 0;
        double squares = 0;
        for (std::size_t i = 0; i < seen.items.rows(); ++i) {
            mean += seen.items(i, c) / 20.0;
            squares += seen.items(i, c) * seen.items(i, c) / 20.0;
        }
        EXPECT_NEAR(mean, 0, 1e-5);
        EXPECT_TRUE(std::abs(squares - 1) < 1e-3 || squares == 0) << c << ": " << squares;
    }
}

TEST_F(ServedWorldTest, items_of_slates_show_where_they_are_in_the_space_of_the_belief) {
    auto slates = options();
    slates.slate_size = 2;
    slates.step_limit = 2;
    auto diverse = slates;
    diverse.diversity = 3;
    const auto world = open(slates);
    const auto rewarding = open(diverse);
    world->reset(5);
    rewarding->reset(5);
    const auto run = train::load_run(*folder / "gaussian");
    const auto vectors = run.model->item_vectors().value();
    const auto cosine = [&](std::uint32_t a, std::uint32_t b) {
        const auto one = vectors.row(a);
        const auto other = vectors.row(b);
        return dot(one, other) / std::sqrt(dot(one, one) * dot(other, other));
    };

    const auto seen = world->observe();
    ASSERT_EQ(seen.items.cols(), policy::plain_item_size + vectors.cols());
    for (const auto& [i, j] : {std::pair{0U, 1U}, {3U, 7U}, {4U, 4U}}) {
        const auto direction = [&](std::size_t place) {
            return seen.items.row(place).subspan(policy::plain_item_size);
        };
        EXPECT_NEAR(
            dot(direction(i), direction(j)), cosine(seen.item_ids[i], seen.item_ids[j]), 1e-5
        );
    }
    const std::array slate{0U, 1U};
    const double gap = 1 - static_cast<double>(cosine(seen.item_ids[0], seen.item_ids[1]));
    EXPECT_GT(gap, 0.01);
    EXPECT_NEAR(
        rewarding->expected_reward(slate).value() - world->expected_reward(slate).value(),
        3 * gap,
        1e-4
    );
    EXPECT_NEAR(rewarding->step(slate).reward - world->step(slate).reward, 3 * gap, 1e-4);
    EXPECT_EQ(open(options())->facts().item_size, policy::plain_item_size) << "one slot";
}

TEST_F(ServedWorldTest, a_click_teaches_the_belief_and_what_was_passed_by_is_gone) {
    for (const auto* skips : {"silent", "events"}) {
        auto how = options();
        how.skips = skips;
        const auto world = open(how);
        world->reset(3);
        const std::vector<float> before{world->observe().user.begin(), world->observe().user.end()};
        EXPECT_THAT(before, testing::ElementsAre(0, 0, 1, 0));

        const auto passed = find(*world, false).value();
        const auto row = world->observe().item_ids[passed];
        EXPECT_EQ(world->step(std::array{passed}).reward, 0);
        EXPECT_EQ(world->observe().user[0] > 0, how.skips == "events");
        EXPECT_THAT(world->observe().item_ids, testing::Not(testing::Contains(row)));

        const auto liked = find(*world, true).value();
        EXPECT_EQ(world->step(std::array{liked}).reward, 1);
        EXPECT_GT(world->observe().user[0], 0);
        EXPECT_LT(world->observe().user[2], 1);
        EXPECT_GT(world->observe().user[3], 0);
    }
}

TEST_F(
    ServedWorldTest, without_an_inner_step_nothing_is_learned_and_shuffled_it_is_of_somebody_else
) {
    const auto after_a_click = [](const std::string& context) {
        auto how = options();
        how.context = context;
        auto world = open(how);
        world->reset(3);
        (void)world->step(std::array{find(*world, true).value()});
        return world;
    };
    const auto own = after_a_click("own");
    const auto none = after_a_click("none");
    const auto shuffled = after_a_click("shuffled");

    EXPECT_THAT(none->observe().user, testing::ElementsAre(0, 0, 1, 0));
    EXPECT_GT(own->observe().user[0], 0);
    EXPECT_EQ(shuffled->observe().user[0], own->observe().user[0]) << "as many events";
    EXPECT_NE(shuffled->observe().user[3], own->observe().user[3]) << "of other items";
}

TEST_F(
    ServedWorldTest, by_draws_of_the_belief_the_order_is_another_one_each_time_and_a_seed_repeats_it
) {
    auto how = options();
    how.ranking = "draw";
    const auto ids = [&](const simulate::Environment& world) {
        const auto seen = world.observe().item_ids;
        return std::vector<std::uint32_t>{seen.begin(), seen.end()};
    };
    const auto world = open(how);
    world->reset(3);
    const auto first = ids(*world);
    world->reset(3);
    EXPECT_EQ(ids(*world), first);

    const auto passed = find(*world, false).value();
    const auto shown = first[passed];
    (void)world->step(std::array{passed});
    auto second = ids(*world);
    std::erase(second, shown);
    auto same = first;
    std::erase(same, shown);
    same.resize(std::min(same.size(), second.size()));
    second.resize(same.size());
    EXPECT_NE(second, same) << "nothing was learned, yet the order changed";
}

TEST_F(ServedWorldTest, judged_users_are_not_learned_from) {
    const auto users_of = [](const std::string& part) {
        auto how = options();
        how.users = part;
        const auto world = open(how);
        std::set<std::string> users;
        for (std::uint64_t seed = 0; seed < 300; ++seed) {
            world->reset(seed);
            const auto text = world->describe_state();
            users.insert(text.substr(0, text.find(' ')));
        }
        return users;
    };

    const auto learn = users_of("learn");
    const auto judge = users_of("judge");

    EXPECT_GT(learn.size(), judge.size());
    EXPECT_GT(judge.size(), 5U);
    for (const auto& user : judge) {
        EXPECT_FALSE(learn.contains(user)) << user;
    }
}

TEST_F(ServedWorldTest, one_seed_is_one_episode) {
    const auto a = open(options());
    a->reset(9);
    const auto b = a->clone();
    for (const std::uint32_t place : {3U, 0U, 7U, 1U}) {
        EXPECT_EQ(a->step(std::array{place}).reward, b->step(std::array{place}).reward);
        EXPECT_THAT(a->observe().item_ids, testing::ElementsAreArray(b->observe().item_ids));
        EXPECT_THAT(a->observe().user, testing::ElementsAreArray(b->observe().user));
    }
    EXPECT_TRUE(a->step(std::array{0U}).truncated);
}

TEST_F(ServedWorldTest, what_it_cannot_be_is_told) {
    const auto message = [](const ServedWorldOptions& options, const std::string& run) {
        try {
            (void)open(options, run);
            return std::string{"opened"};
        } catch (const Error& error) {
            return std::string{error.what()};
        }
    };
    auto nowhere = options();
    nowhere.data.clear();
    auto demanding = options();
    demanding.min_liked = 1000;
    auto wide = options();
    wide.step_limit = 40;

    EXPECT_THAT(message(options(), "popularity"), HasSubstr("no belief for an actor"));
    EXPECT_THAT(message(nowhere, "gaussian"), HasSubstr("world.data=DIR"));
    EXPECT_THAT(message(demanding, "gaussian"), HasSubstr("no user liked 1000 items"));
    EXPECT_THAT(message(wide, "gaussian"), HasSubstr("40 items are too few"));
}

}  // namespace
}  // namespace hg::serve
