// SPDX-License-Identifier: Apache-2.0
// What moves a slate away from the ranker's order: knobs, by hand or by a learned policy, and wishes.
#include "policy/knob_actor.hpp"
#include "serve/engine_world.hpp"

#include <cmath>
#include <set>

namespace hg::serve {
namespace {

int count_of_group(const std::vector<std::string>& ids, int group) {
    return static_cast<int>(std::ranges::count_if(ids, [&](const std::string& id) {
        return std::stoi(id.substr(4)) % 4 == group;
    }));
}

TEST_F(EngineTest, knobs_at_zero_are_the_greedy_slate_and_an_explored_item_is_marked) {
    open_greedy();
    const std::string wish = R"({"history": ["item1", "item5"], "k": 8})";
    const auto greedy = recommend(wish);
    open_greedy({.exploration = 0});
    EXPECT_EQ(recommend(wish)["items"], greedy["items"]);

    open_greedy({.exploration = 4});
    const auto exploring = recommend(wish);
    std::set<std::string> expected;
    for (const auto& row : greedy["items"]) {
        EXPECT_FALSE(row["explore"].get<bool>());
        expected.insert(row["item_id"]);
    }
    int n_marked = 0;
    for (const auto& row : exploring["items"]) {
        EXPECT_EQ(row["explore"].get<bool>(), !expected.contains(row["item_id"]));
        n_marked += row["explore"].get<bool>() ? 1 : 0;
    }
    EXPECT_GT(n_marked, 0);
    EXPECT_NE(exploring["policy"], greedy["policy"]);
    EXPECT_NE(exploring["policy"].get<std::string>().find("exploration=4"), std::string::npos);
    store->flush();
    const auto logged =
        value_or_throw(store->impression(exploring["recommendation_id"].get<std::string>()));
    EXPECT_EQ(logged->policy, exploring["policy"]);
    for (std::size_t i = 0; i < logged->slots.size(); ++i) {
        EXPECT_EQ(logged->slots[i].is_explored, exploring["items"][i]["explore"].get<bool>());
    }
}

TEST_F(EngineTest, with_knobs_the_logged_candidates_still_give_the_propensities) {
    chooses_knobs =
        std::make_shared<policy::ConstantKnobs>(policy::Knobs{.exploration = 1, .diversity = 1});
    open();
    const auto slate = recommend(R"({"user_id": "user0", "k": 5})");
    store->flush();

    const auto logged =
        value_or_throw(store->impression(slate["recommendation_id"].get<std::string>()));
    const auto again = propensities_again(*logged);
    for (std::size_t i = 0; i < logged->slots.size(); ++i) {
        EXPECT_NEAR(again[i], logged->slots[i].propensity, 1e-4);
    }
}

TEST_F(
    EngineTest, with_knobs_a_greedy_slate_is_the_same_again_until_an_event_or_a_mask_changes_it
) {
    open_greedy({.exploration = 2, .diversity = 1});
    const std::string ask = R"({"user_id": "user0", "k": 8})";
    const auto first = recommend(ask)["items"];

    EXPECT_EQ(recommend(ask)["items"], first);
    EXPECT_EQ(
        recommend(R"({"user_id": "user0", "k": 3})")["items"][2]["item_id"], first[2]["item_id"]
    );
    const auto without = ids(fmt::format(
        R"({{"user_id": "user0", "k": 8, "exclude": ["{}"]}})",
        first[0]["item_id"].get<std::string>()
    ));
    EXPECT_FALSE(has(without, first[0]["item_id"]));
    append(event("e", "user0", first[0]["item_id"]));
    EXPECT_FALSE(has(ids(ask), first[0]["item_id"]));
}

TEST_F(EngineTest, knobs_set_by_hand_hold_for_that_user_survive_a_restart_and_can_be_reset) {
    open_greedy();
    const std::string ask = R"({"user_id": "user0", "k": 8})";
    const auto greedy = ids(ask);
    wait([&](auto done) { engine->put_knobs("user0", {.exploration = 4}, done); });

    EXPECT_NE(ids(ask), greedy);
    EXPECT_EQ(user("user0")["knobs"]["exploration"], 4);
    EXPECT_EQ(user("user0")["knobs"]["by_hand"], true);
    EXPECT_EQ(user("user1")["knobs"]["exploration"], 0);
    open_greedy();
    EXPECT_EQ(user("user0")["knobs"]["exploration"], 4);
    wait([&](auto done) { engine->put_knobs("user0", {}, done); });
    EXPECT_EQ(ids(ask), greedy);
    EXPECT_EQ(user("user0")["knobs"]["by_hand"], false);
}

TEST_F(EngineTest, a_wish_is_obeyed_shown_kept_over_a_restart_and_a_reload_and_taken_back) {
    open_greedy();
    append(event("e1", "new", "item1"));
    const std::string ask = R"({"user_id": "new", "k": 8})";
    const auto before = ids(ask);
    const auto belief = user("new")["belief"];

    wish("new", {{"group", "group2", 2}, {"group", "group1", -2}});

    EXPECT_GE(count_of_group(ids(ask), 2), 7);
    EXPECT_EQ(count_of_group(ids(ask), 1), 0);
    EXPECT_EQ(user("new")["belief"]["wishes"].size(), 2U);
    EXPECT_LT(
        user("new")["belief"]["uncertainty"].get<double>(), belief["uncertainty"].get<double>()
    );
    append(event("e2", "new", "item6"));
    const auto updated = user("new")["belief"];
    const auto wished = ids(ask);
    open_greedy();
    EXPECT_EQ(ids(ask), wished);
    EXPECT_NEAR(
        user("new")["belief"]["uncertainty"].get<double>(),
        updated["uncertainty"].get<double>(),
        1e-5
    ) << "a replay with the wish is what updates with it gave";
    publish("gaussian");
    EXPECT_EQ(ids(ask), wished);
    forget("new", "e2");
    wish("new", {});
    EXPECT_EQ(ids(ask), before);
    EXPECT_NEAR(
        user("new")["belief"]["uncertainty"].get<double>(),
        belief["uncertainty"].get<double>(),
        1e-6
    );
}

TEST_F(EngineTest, new_weights_rebuild_the_belief_with_the_wish_in_it) {
    open_greedy();
    wish("new", {{"group", "group3", 2}});
    append(event("e1", "new", "item3"));
    const auto space = user("new")["belief"]["space"];
    Settings settings;
    settings.set("dim", "3", "test");
    fit("gaussian", settings, "narrow");
    publish("narrow");

    const auto rebuilt = user("new")["belief"];
    EXPECT_NE(rebuilt["space"], space);
    EXPECT_EQ(rebuilt["n_events"], 1);
    EXPECT_EQ(rebuilt["traits"][0]["name"], "group3");
    EXPECT_GE(count_of_group(ids(R"({"user_id": "new", "k": 6})"), 3), 5);
}

TEST_F(EngineTest, a_wish_for_what_the_catalogue_does_not_have_is_refused) {
    EXPECT_THROW(wish("new", {{"colour", "red", 1}}), Error);
    EXPECT_THROW(wish("new", {{"group", "group9", 1}}), Error);
}

/// Explores while little is known: 2 tanh(1 - 4 experience); novelty and content stay 0.
std::shared_ptr<const policy::KnobActor> curious_actor() {
    return std::make_shared<const policy::KnobActor>(
        policy::KnobActor::Layers{
            .hidden = Matrix<float>(1, 4, {.001F, 0, 0, 0}),
            .hidden_bias = {0},
            .out = Matrix<float>(3, 1, {-4000, 0, 0}),
            .out_bias = {1, 0, 0},
        },
        "curious@1"
    );
}

TEST_F(EngineTest, a_learned_policy_chooses_knobs_from_the_belief_of_each_user) {
    chooses_knobs = curious_actor();
    open();

    const auto before = user_knobs("new");
    append(event("e1", "new", "item1"));
    append(event("e2", "new", "item5"));
    const auto after = user_knobs("new");

    EXPECT_NEAR(before["exploration"].get<double>(), 2 * std::tanh(1.0), 1e-3);
    const double experience = std::log(3) / std::log(51);
    EXPECT_NEAR(after["exploration"].get<double>(), 2 * std::tanh(1 - 4 * experience), 2e-3);
    EXPECT_EQ(after["chosen_by"], "meta_policy curious@1");
    EXPECT_EQ(after["novelty"], 0);
    const auto policy = recommend(R"({"user_id": "new"})")["policy"].get<std::string>();
    const auto read = policy::parse_slate_policy(policy);
    ASSERT_TRUE(read) << policy;
    EXPECT_EQ(read->chosen_by, "curious@1");
    EXPECT_EQ(read->knobs.exploration, after["exploration"].get<double>());
}

TEST_F(EngineTest, an_event_on_an_item_the_model_does_not_know_changes_no_knobs) {
    chooses_knobs = curious_actor();
    open();
    append(event("e1", "new", "item1"));
    const auto before = user_knobs("new");
    append(event("e2", "new", "nobody-knows-it"));

    EXPECT_EQ(user_knobs("new"), before);
    open();  // by replay
    EXPECT_EQ(user_knobs("new"), before);
}

TEST_F(EngineTest, what_a_user_set_by_hand_stands_above_a_learned_policy) {
    chooses_knobs = curious_actor();
    open();
    wait([&](auto done) { engine->put_knobs("new", {.exploration = -1, .diversity = .5}, done); });

    const auto knobs = user_knobs("new");
    EXPECT_EQ(knobs["exploration"], -1);
    EXPECT_EQ(knobs["diversity"], .5);
    EXPECT_EQ(knobs["by_hand"], true);
    wait([&](auto done) { engine->put_knobs("new", {}, done); });
    EXPECT_GT(user_knobs("new")["exploration"].get<double>(), 1);
}

}  // namespace
}  // namespace hg::serve
