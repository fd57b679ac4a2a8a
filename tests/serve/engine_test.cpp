// SPDX-License-Identifier: Apache-2.0
// The engine without HTTP: sessions follow events at once, survive restarts, and serve what was
// never seen.
#include "serve/engine_world.hpp"
#include "train/first_screen.hpp"
#include "train/sparse.hpp"

#include <array>
#include <cmath>
#include <set>

namespace hg::serve {
namespace {

TEST_F(EngineTest, the_next_slate_knows_an_acknowledged_event) {
    const auto before = ids(R"({"user_id": "new", "k": 40})");
    EXPECT_EQ(append(event("e", "new", before.front()))[0]["status"], "stored");
    EXPECT_FALSE(has(ids(R"({"user_id": "new", "k": 40})"), before.front()));
}

TEST_F(EngineTest, a_taste_shows_after_a_few_events) {
    for (const auto* item : {"item1", "item5", "item9"}) {
        append(event(item, "new", item));
    }
    int own = 0;
    const auto answer = recommend(R"({"user_id": "new", "k": 5})");
    for (const auto& row : answer["items"]) {
        const auto id = row["item_id"].get<std::string>();
        own += std::stoi(id.substr(4)) % 4 == 1 ? 1 : 0;
    }
    EXPECT_GE(own, 3);
}

TEST_F(EngineTest, the_belief_changes_with_each_event_and_equals_a_replay_after_a_restart) {
    const auto first = user("user0")["belief"];
    append(event("e1", "user0", "item2"));
    append(event("e2", "user0", "item6", R"(, "value": 1)"));
    const auto updated = user("user0")["belief"];
    open();
    const auto replayed = user("user0")["belief"];

    EXPECT_LT(updated["uncertainty"].get<double>(), first["uncertainty"].get<double>());
    EXPECT_NEAR(updated["uncertainty"].get<double>(), replayed["uncertainty"].get<double>(), 1e-5);
    EXPECT_EQ(updated["n_events"], replayed["n_events"]);
    EXPECT_FALSE(updated["traits"].empty());
}

TEST_F(EngineTest, a_late_event_takes_its_place_and_a_future_one_waits_for_its_time) {
    append(event("b", "new", "item2", fmt::format(R"(, "timestamp": {})", now - 10)));
    (void)recommend(R"({"user_id": "new"})");
    append(event("a", "new", "item1", fmt::format(R"(, "timestamp": {})", now - 20)));
    append(event("z", "new", "item3", fmt::format(R"(, "timestamp": {})", now + 1000)));

    auto history = user("new")["history"];
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[0]["item_id"], "item2");
    EXPECT_EQ(history[1]["item_id"], "item1");
    clock.set(now + 2000);
    EXPECT_EQ(user("new")["history"][0]["item_id"], "item3");
}

TEST_F(EngineTest, what_is_known_of_a_newcomer_decides_whose_prior_they_start_from) {
    Settings settings;
    settings.set("segment_field", "group");
    settings.set("segment_shrinkage", "1");
    fit("gaussian", settings, "segments");
    publish("segments");
    const auto in_group = [](const nlohmann::json& answer, int group) {
        int n = 0;
        for (const auto& row : answer["items"]) {
            n += std::stoi(row["item_id"].get<std::string>().substr(4)) % 4 == group ? 1 : 0;
        }
        return n;
    };
    wait([&](auto done) { engine->put_user("new", {{"group", "group2"}}, std::move(done)); });

    EXPECT_GE(in_group(recommend(R"({"user_id": "new", "k": 5})"), 2), 3);
    EXPECT_EQ(user("new")["belief"]["segment"], "group2");
    wait([&](auto done) { engine->put_user("new", {{"group", "group1"}}, std::move(done)); });
    EXPECT_EQ(user("new")["belief"]["segment"], "group1");
    EXPECT_GE(in_group(recommend(R"({"user_id": "new", "k": 5})"), 1), 3);
    EXPECT_GE(
        in_group(recommend(R"({"history": [], "fields": {"group": "group3"}, "k": 5})"), 3), 3
    );
    EXPECT_EQ(user("new")["fields"]["group"], "group1");
    EXPECT_EQ(user("user2")["fields"]["group"], "group2");  // of the dataset
    EXPECT_EQ(user("user2")["belief"]["segment"], "group2");
}

TEST_F(EngineTest, learned_demographics_decide_where_a_newcomer_starts) {
    Settings settings;
    settings.set("demographics", "true");
    fit("gaussian", settings, "demographics");
    options.policy = {.epsilon = 0, .temperature = 0};
    open();
    publish("demographics");
    for (int group = 0; group < 4; ++group) {
        const auto name = fmt::format("group{}", group);
        wait([&](auto done) { engine->put_user("new", {{"group", name}}, std::move(done)); });
        const auto served = recommend(R"({"user_id": "new", "k": 20})")["items"];
        const auto by_replay = recommend(
            fmt::format(R"({{"history": [], "fields": {{"group": "{}"}}, "k": 20}})", name)
        )["items"];

        ASSERT_EQ(served.size(), by_replay.size());
        EXPECT_EQ(std::stoi(served[0]["item_id"].get<std::string>().substr(4)) % 4, group);
        for (std::size_t i = 0; i < served.size(); ++i) {
            EXPECT_NEAR(served[i]["score"].get<float>(), by_replay[i]["score"].get<float>(), 1e-5);
        }
        EXPECT_EQ(user("new")["belief"]["uncertainty"], 1);
    }
}

TEST_F(EngineTest, cached_scores_are_used_until_something_changes) {
    (void)recommend(R"({"user_id": "new"})");
    (void)recommend(R"({"user_id": "new"})");
    EXPECT_EQ(engine->figures().candidates_reused, 1U);
    append(event("e", "new", "item1"));
    (void)recommend(R"({"user_id": "new"})");
    EXPECT_EQ(engine->figures().candidates_reused, 1U);
    publish("gaussian");
    (void)recommend(R"({"user_id": "new"})");
    EXPECT_EQ(engine->figures().candidates_reused, 1U);
}

TEST_F(EngineTest, only_the_sessions_scored_last_keep_their_scores_and_the_others_answer_alike) {
    options.sessions.max_scored = 2;
    open_greedy();
    const auto first = recommend(R"({"user_id": "user1"})")["items"];
    const auto belief = user("user1")["belief"];
    (void)recommend(R"({"user_id": "user2"})");
    EXPECT_EQ(recommend(R"({"user_id": "user1"})")["items"], first);
    EXPECT_EQ(engine->figures().candidates_reused, 1U) << "two are kept";
    (void)recommend(R"({"user_id": "user3"})");

    EXPECT_EQ(recommend(R"({"user_id": "user1"})")["items"], first);

    EXPECT_EQ(engine->figures().candidates_reused, 1U) << "the third pushed the first out";
    EXPECT_EQ(user("user1")["belief"], belief);
}

TEST_F(EngineTest, an_item_that_was_put_is_shown_with_its_likes_and_survives_a_restart) {
    wait([&](auto done) {
        engine->put_item("fresh", {{"title", "Fresh"}, {"group", "group1"}}, done);
    });
    EXPECT_TRUE(has(ids(R"({"history": ["item1"], "k": 50})"), "fresh"));
    open();
    EXPECT_TRUE(has(ids(R"({"history": ["item1"], "k": 50})"), "fresh"));
    wait([&](auto done) { engine->delete_item("fresh", done); });
    EXPECT_FALSE(has(ids(R"({"history": ["item1"], "k": 50})"), "fresh"));
}

TEST_F(EngineTest, a_stub_is_never_shown) {
    append(event("e", "someone", "rumour"));
    EXPECT_FALSE(has(ids(R"({"history": [], "k": 100})"), "rumour"));
}

TEST_F(EngineTest, everything_can_be_shown_when_the_cache_of_candidates_is_too_short) {
    const auto all = ids(R"({"history": ["item1"], "k": 100})");
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 39U);
}

TEST_F(EngineTest, reasons_are_verified_by_scoring_without_the_item) {
    const auto slate =
        recommend(R"({"history": ["item1", "item5", "item2"], "k": 10, "explain": true})");
    int verified = 0;
    for (const auto& row : slate["items"]) {
        if (!row.contains("because")) {
            continue;
        }
        const std::string because = row["because"];
        std::string rest;
        for (const auto* id : {"item1", "item5", "item2"}) {
            if (id != because) {
                rest += fmt::format(R"({}"{}")", rest.empty() ? "" : ",", id);
            }
        }
        const auto without = recommend(fmt::format(R"({{"history": [{}], "k": 100}})", rest));
        for (const auto& other : without["items"]) {
            if (other["item_id"] == row["item_id"]) {
                EXPECT_LT(other["score"].get<float>(), row["score"].get<float>());
            }
        }
        ++verified;
    }
    EXPECT_GT(verified, 0);
}

TEST_F(EngineTest, an_impression_records_the_slate_and_propensities_that_the_policy_gives_again) {
    const auto slate = recommend(R"({"user_id": "new", "k": 5, "context": {"page": "home"}})");
    store->flush();

    const auto logged =
        value_or_throw(store->impression(slate["recommendation_id"].get<std::string>()));
    ASSERT_TRUE(logged);
    ASSERT_EQ(logged->slots.size(), 5U);
    EXPECT_EQ(logged->context, R"({"page":"home"})");
    const auto again = propensities_again(*logged);
    double product = 1;
    for (std::size_t i = 0; i < logged->slots.size(); ++i) {
        EXPECT_EQ(again[i], logged->slots[i].propensity) << "the scores are logged whole";
        product *= logged->slots[i].propensity;
    }
    EXPECT_NEAR(product, logged->propensity, 1e-9);
    EXPECT_FALSE(logged->is_deterministic);
    EXPECT_EQ(logged->masks, "");
    EXPECT_EQ(logged->last_event, 0);
}

TEST_F(EngineTest, an_erased_user_has_no_history_not_even_that_of_the_dataset) {
    EXPECT_GT(user("user0")["history_size"].get<int>(), 0);
    wait([&](auto done) { engine->delete_user("user0", done); });
    EXPECT_FALSE(engine->user("user0", 10));
    open();
    EXPECT_FALSE(engine->user("user0", 10));
}

TEST_F(EngineTest, the_events_of_an_erased_user_count_for_no_item_any_more) {
    const auto events_of = [this] {
        return value_or_throw(engine->item("item1"))["events"].get<int>();
    };
    const auto before = events_of();
    append(event("e1", "new", "item1"));
    append(event("e2", "new", "item1"));
    EXPECT_EQ(events_of(), before + 2);

    wait([&](auto done) { engine->delete_user("new", done); });

    EXPECT_EQ(events_of(), before);
    open();
    EXPECT_EQ(events_of(), before);
}

TEST_F(EngineTest, a_broken_run_is_refused_and_the_old_one_stays) {
    EXPECT_THROW(publish("nothing-here"), Error);
    EXPECT_EQ(recommend(R"({"history": []})")["model"], "gaussian");
}

TEST_F(EngineTest, similar_items_share_the_group) {
    const auto similar = value_or_throw(engine->similar("item3", 5));
    int own = 0;
    for (const auto& row : similar["items"]) {
        own += std::stoi(row["item_id"].get<std::string>().substr(4)) % 4 == 3 ? 1 : 0;
    }
    EXPECT_GE(own, 4);
    std::set<std::string> gone;
    for (const auto& row : similar["items"]) {
        gone.insert(row["item_id"]);
        wait([&](auto done) { engine->delete_item(row["item_id"], done); });
    }
    const auto others = value_or_throw(engine->similar("item3", 5))["items"];
    EXPECT_EQ(others.size(), 5U) << "the next ones take their places";
    for (const auto& row : others) {
        EXPECT_FALSE(gone.contains(row["item_id"]));
    }
}

TEST_F(EngineTest, a_blend_scores_the_same_from_the_belief_in_the_session_as_by_replay) {
    fit("blend");
    options.policy = {.epsilon = 0, .temperature = 0};
    open();
    publish("blend");
    for (const auto* item : {"item1", "item5", "item2"}) {
        (void)recommend(R"({"user_id": "new"})");  // the belief is in the session, then updated
        append(event(item, "new", item));
    }

    const auto by_session = recommend(R"({"user_id": "new", "k": 20})")["items"];
    const auto by_replay = recommend(R"({"history": [{"item_id": "item1", "event": "click"},
        {"item_id": "item5", "event": "click"}, {"item_id": "item2", "event": "click"}], "k": 20})"
    )["items"];

    ASSERT_EQ(by_session.size(), by_replay.size());
    for (std::size_t i = 0; i < by_session.size(); ++i) {
        EXPECT_NEAR(by_session[i]["score"].get<float>(), by_replay[i]["score"].get<float>(), 1e-4);
    }
}

TEST_F(EngineTest, a_forgotten_event_never_happened_not_even_after_a_restart) {
    append(event("e1", "new", "item1"));
    const auto before = user("new");
    append(event("e2", "new", "item2"));
    EXPECT_EQ(user("new")["history"][0]["event_id"], "e2");

    forget("new", "e2");

    EXPECT_EQ(user("new")["belief"], before["belief"]);
    EXPECT_EQ(user("new")["history"], before["history"]);
    EXPECT_TRUE(has(ids(R"({"user_id": "new", "k": 40})"), "item2")) << "not seen any more";
    EXPECT_THROW(forget("new", "e2"), Error);
    EXPECT_THROW(forget("someone", "e1"), Error);
    open();
    EXPECT_EQ(user("new")["belief"], before["belief"]);
}

TEST_F(EngineTest, an_event_of_the_dataset_can_be_forgotten_too) {
    const auto before = user("user0");
    const std::string last = before["history"][0]["event_id"];
    const std::string item = before["history"][0]["item_id"];
    ASSERT_TRUE(last.starts_with("dataset:"));

    forget("user0", last);
    open();

    EXPECT_EQ(user("user0")["history_size"].get<int>(), before["history_size"].get<int>() - 1);
    EXPECT_NE(user("user0")["history"][0]["item_id"], item);
    EXPECT_THROW(forget("user0", "dataset:1000"), Error);
    EXPECT_THROW(forget("stranger", "dataset:0"), Error);
}

TEST_F(EngineTest, data_collection_tells_its_cost_and_the_days_until_it_decides) {
    options.policy.random_share = 0.05;
    options.policy.random_candidates = 30;
    options.policy.max_candidates = 5;
    open();
    for (int i = 0; i < 200; ++i) {
        const auto slate = recommend(R"({"user_id": "new", "k": 5, "seen": "allow"})");
        const auto& first = slate["items"][0];
        if (i % 3 == 0) {
            append(event(
                fmt::format("e{}", i),
                fmt::format("other{}", i),
                first["item_id"],
                fmt::format(R"(, "recommendation_id": {})", slate["recommendation_id"].dump())
            ));
        }
    }
    store->flush();
    clock.set(now + 3'600'000);

    const auto collection = value_or_throw(engine->status())["collection"];

    EXPECT_EQ(collection["is_on"], true);
    EXPECT_EQ(collection["slots"], 1000);
    EXPECT_NEAR(collection["slots_per_day"].get<double>(), 24'000, 1);
    EXPECT_TRUE(collection["question"].is_string());
    const double needed = collection["random_slots_needed"];
    EXPECT_NEAR(collection["days"].get<double>(), needed / (24'000 * 0.05), 1e-6 * needed);
    EXPECT_NEAR(
        collection["clicks_lost_per_day"].get<double>(),
        24'000 * 0.05 *
            (collection["clicks_per_slot"].get<double>() -
             collection["clicks_per_random_slot"].get<double>()),
        1e-6
    );
}

TEST(Collection, the_value_of_a_random_slot_is_estimated_without_bias_from_a_skewed_log) {
    // Four items clicked with .1, .2, .3, .4; shown with .7, .1, .1, .1. Shown: .16, random: .25.
    // n = 200,000: the weights reach 2.5, so the estimate's sd is below .0015 and 6 sd = .009 is
    // crossed by chance once in 10^8.
    const std::array<double, 4> shown{0.7, 0.1, 0.1, 0.1};
    Rng rng{3};
    std::vector<data::SlotOutcome> slots;
    for (int i = 0; i < 200'000; ++i) {
        const double u = rng.uniform();
        const std::size_t item = u < 0.7 ? 0 : u < 0.8 ? 1 : u < 0.9 ? 2 : 3;
        slots.push_back({
            .time = 0,
            .propensity = shown[item],
            .uniform = 0.25,
            .is_clicked = rng.uniform() < 0.1 * static_cast<double>(item + 1),
        });
    }

    const auto value = slot_value(slots, 86'400'000);

    ASSERT_TRUE(value);
    EXPECT_NEAR(value->shown, 0.16, 0.006);
    EXPECT_NEAR(value->random, 0.25, 0.009);
    EXPECT_LT(value->standard_error, 0.0015);
    EXPECT_NEAR(value->slots_per_day, 200'000, 1e-6);
    EXPECT_FALSE(slot_value({}, 0));
}

TEST_F(
    EngineTest, a_newcomer_is_asked_for_what_teaches_the_belief_most_and_never_for_what_is_gone
) {
    const auto run = train::load_run(folder / "gaussian");
    const auto counts = train::column_counts(train::positive_pairs(dataset->log));
    std::vector<float> shares;
    for (const auto count : counts) {
        shares.push_back(count / static_cast<float>(dataset->log.n_users()));
    }
    std::vector<std::string> expected;
    for (const auto item :
         train::first_screen(*run.model->belief_prior(), shares, train::Asking::evidence, 5)) {
        expected.emplace_back(run.items.name(item));
    }
    const auto asked = [&](std::size_t k) {
        std::vector<std::string> found;
        const auto answer = engine->onboarding(k);
        for (const auto& row : answer["items"]) {
            found.push_back(row["item_id"]);
        }
        return found;
    };

    EXPECT_EQ(asked(5), expected);
    wait([&](auto done) { engine->delete_item(expected[1], std::move(done)); });
    EXPECT_FALSE(has(asked(50), expected[1]));
    EXPECT_EQ(asked(2), (std::vector{expected[0], expected[2]}));
}

}  // namespace
}  // namespace hg::serve
