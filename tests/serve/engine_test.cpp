// SPDX-License-Identifier: Apache-2.0
// The engine without HTTP: sessions follow events at once, survive restarts, and serve what was
// never seen.
#include "serve/engine.hpp"

#include "core/progress.hpp"
#include "data/stores/sqlite_event_store.hpp"
#include "serve/http/json_body.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
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
        dataset = std::make_shared<const data::Dataset>(std::move(world.dataset));
        fit("gaussian");
        open();
    }

    void fit(const std::string& model) {
        SilentProgress silent;
        train::fit_run(
            {.entry = train::find_model(model),
             .settings = {},
             .dataset = *dataset,
             .folder = folder / model},
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
        engine = std::make_unique<Engine>(EngineOptions{}, dataset, *store, clock);
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

    nlohmann::json user(const std::string& id) { return value_or_throw(engine->user(id, 100)); }

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

}  // namespace
}  // namespace hg::serve
