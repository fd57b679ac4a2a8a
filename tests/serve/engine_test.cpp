// SPDX-License-Identifier: Apache-2.0
// The engine without HTTP: sessions follow events at once, survive restarts, and serve what was
// never seen.
#include "serve/engine.hpp"

#include "core/progress.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "policy/knob_actor.hpp"
#include "policy/slate_policy.hpp"
#include "serve/http/json_body.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <future>
#include <memory>
#include <set>

namespace hg::serve {
namespace {

using testing_support::TemporaryFolder;

data::Field groups_field(std::size_t n_items, std::size_t n_groups) {
    data::Field field{.name = "group", .kind = data::FieldKind::category};
    for (std::size_t g = 0; g < n_groups; ++g) {
        field.vocabulary.push_back(fmt::format("group{}", g));
    }
    field.code_offsets.push_back(0);
    for (std::size_t i = 0; i < n_items; ++i) {
        field.present.push_back(1);
        field.codes.push_back(static_cast<std::uint32_t>(i % n_groups));
        field.code_offsets.push_back(static_cast<std::int64_t>(i + 1));
    }
    return field;
}

data::Field title_field(std::size_t n_items) {
    data::Field field{.name = "title", .kind = data::FieldKind::text};
    for (std::size_t i = 0; i < n_items; ++i) {
        field.present.push_back(1);
        field.texts.push_back(fmt::format("Title {}", i));
    }
    return field;
}

/// A trained world with a database, opened as often as a test likes.
class EngineTest : public ::testing::Test {
  protected:
    static constexpr TimeMs now = 1'700'000'000'000;

    void SetUp() override {
        auto world = testing_support::small_world();
        const auto n = world.dataset.items.size();
        world.dataset.item_fields =
            data::Catalogue{n, {title_field(n), groups_field(n, world.n_groups)}};
        const auto n_users = world.dataset.users.size();
        world.dataset.user_fields =
            data::Catalogue{n_users, {groups_field(n_users, world.n_groups)}};
        dataset = std::make_shared<const data::Dataset>(std::move(world.dataset));
        fit("gaussian");
        open();
    }

    /// Into a folder of that name, else of the model's.
    void fit(
        const std::string& model, const Settings& settings = {}, const std::string& name = {}
    ) {
        SilentProgress silent;
        train::fit_run(
            {.entry = train::find_model(model),
             .settings = settings,
             .dataset = *dataset,
             .folder = folder / (name.empty() ? model : name)},
            silent,
            {}
        );
    }

    void open() {
        engine.reset();
        store.reset();
        store = std::make_unique<data::SqliteEventStore>(
            data::SqliteStoreOptions{.file = folder / "events.db"}
        );
        engine = std::make_unique<Engine>(options, dataset, *store, clock);
        publish("gaussian");
    }

    void publish(const std::string& model) {
        SilentProgress silent;
        engine->publish({.run = folder / model, .data = folder.path()}, silent, {});
    }

    nlohmann::json recommend(const std::string& body) {
        return value_or_throw(engine->recommend(value_or_throw(parse_recommend(body))));
    }

    std::vector<std::string> ids(const std::string& body) {
        std::vector<std::string> out;
        const auto answer = recommend(body);
        for (const auto& row : answer["items"]) {
            out.push_back(row["item_id"]);
        }
        return out;
    }

    nlohmann::json append(const std::string& events) {
        std::promise<Result<nlohmann::json>> promise;
        engine->append(
            value_or_throw(parse_events(R"({"events": [)" + events + "]}")),
            [&promise](auto result) { promise.set_value(std::move(result)); }
        );
        return value_or_throw(promise.get_future().get())["results"];
    }

    static std::string event(
        const std::string& id,
        const std::string& user,
        const std::string& item,
        const std::string& more = ""
    ) {
        return fmt::format(
            R"({{"event_id": "{}", "user_id": "{}", "item_id": "{}", "event": "click"{}}})",
            id,
            user,
            item,
            more
        );
    }

    template <typename Call>
    void wait(Call call) {
        std::promise<Result<void>> promise;
        call([&promise](Result<void> result) { promise.set_value(std::move(result)); });
        value_or_throw(promise.get_future().get());
    }

    /// In force for a user, who need not be known.
    nlohmann::json user_knobs(const std::string& id) {
        wait([&](auto done) { engine->put_user(id, {{"group", "group0"}}, std::move(done)); });
        return user(id)["knobs"];
    }

    nlohmann::json user(const std::string& id) { return value_or_throw(engine->user(id, 100)); }

    /// Greedy slates, so that an order can be compared.
    void open_greedy(const policy::Knobs& knobs = {}) {
        options.policy = {.epsilon = 0, .temperature = 0};
        options.knobs = std::make_shared<policy::ConstantKnobs>(knobs);
        open();
    }

    void wish(const std::string& user_id, std::vector<TraitWish> wishes) {
        wait([&](auto done) { engine->put_wishes(user_id, std::move(wishes), done); });
    }

    void forget(const std::string& user_id, const std::string& event_id) {
        wait([&](auto done) { engine->forget_event(user_id, event_id, done); });
    }

    EngineOptions options;
    TemporaryFolder folder;
    ManualClock clock{now};
    std::shared_ptr<const data::Dataset> dataset;
    std::unique_ptr<data::SqliteEventStore> store;
    std::unique_ptr<Engine> engine;
};

bool has(const std::vector<std::string>& ids, const std::string& id) {
    return std::ranges::find(ids, id) != ids.end();
}

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
    std::vector<Scored> candidates;
    std::vector<std::string> names;
    for (const auto& row : nlohmann::json::parse(logged->candidates)) {
        candidates.push_back({static_cast<std::uint32_t>(names.size()), row[1].get<float>()});
        names.push_back(row[0]);
    }
    std::vector<std::uint32_t> slots;
    for (const auto& slot : logged->slots) {
        slots.push_back(
            static_cast<std::uint32_t>(std::ranges::find(names, slot.item_id) - names.begin())
        );
    }
    const auto again = policy::PlackettLuce{{}}.propensities(candidates, slots);
    double product = 1;
    for (std::size_t i = 0; i < slots.size(); ++i) {
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
    options.knobs =
        std::make_shared<policy::ConstantKnobs>(policy::Knobs{.exploration = 1, .diversity = 1});
    open();
    const auto slate = recommend(R"({"user_id": "user0", "k": 5})");
    store->flush();

    const auto logged =
        value_or_throw(store->impression(slate["recommendation_id"].get<std::string>()));
    std::vector<Scored> candidates;
    std::vector<std::string> names;
    for (const auto& row : nlohmann::json::parse(logged->candidates)) {
        candidates.push_back({static_cast<std::uint32_t>(names.size()), row[1].get<float>()});
        names.push_back(row[0]);
    }
    std::vector<std::uint32_t> slots;
    for (const auto& slot : logged->slots) {
        slots.push_back(
            static_cast<std::uint32_t>(std::ranges::find(names, slot.item_id) - names.begin())
        );
    }
    const auto again = policy::PlackettLuce{{}}.propensities(candidates, slots);
    for (std::size_t i = 0; i < slots.size(); ++i) {
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

int count_of_group(const std::vector<std::string>& ids, int group) {
    return static_cast<int>(std::ranges::count_if(ids, [&](const std::string& id) {
        return std::stoi(id.substr(4)) % 4 == group;
    }));
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
    options.knobs = curious_actor();
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

TEST_F(EngineTest, what_a_user_set_by_hand_stands_above_a_learned_policy) {
    options.knobs = curious_actor();
    open();
    wait([&](auto done) { engine->put_knobs("new", {.exploration = -1, .diversity = .5}, done); });

    const auto knobs = user_knobs("new");
    EXPECT_EQ(knobs["exploration"], -1);
    EXPECT_EQ(knobs["diversity"], .5);
    EXPECT_EQ(knobs["by_hand"], true);
    wait([&](auto done) { engine->put_knobs("new", {}, done); });
    EXPECT_GT(user_knobs("new")["exploration"].get<double>(), 1);
}

TEST_F(EngineTest, a_learned_policy_needs_a_run_with_a_belief) {
    fit("popularity");
    options.knobs = curious_actor();
    open();
    try {
        publish("popularity");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_NE(
            std::string{error.what()}.find("a run of popularity, which has none"), std::string::npos
        ) << error.what();
    }
    EXPECT_EQ(recommend(R"({"user_id": "new"})")["model"], "gaussian") << "the old one goes on";
}

}  // namespace
}  // namespace hg::serve
