// SPDX-License-Identifier: Apache-2.0
// The decisions of an engine, judged from its database: the run that served is itself again, bit
// for bit; another run draws from what it would itself have shown.
#include "serve/judge_served.hpp"

#include "data/stores/sqlite_event_store.hpp"
#include "policy/knob_actor.hpp"
#include "serve/engine.hpp"
#include "serve/replay.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <numeric>
#include <set>

namespace hg::serve {
namespace {

data::Field teams_field(std::size_t n_users) {
    data::Field field{.name = "team", .kind = data::FieldKind::category};
    field.vocabulary = {"t0", "t1", "t2"};
    field.code_offsets.push_back(0);
    for (std::size_t u = 0; u < n_users; ++u) {
        field.present.push_back(1);
        field.codes.push_back(static_cast<std::uint32_t>(u % field.vocabulary.size()));
        field.code_offsets.push_back(static_cast<std::int64_t>(u + 1));
    }
    return field;
}

class JudgeServedTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto world = testing_support::small_world().dataset;
        world.user_fields = data::Catalogue{world.users.size(), {teams_field(world.users.size())}};
        dataset = std::make_shared<const data::Dataset>(std::move(world));
        fit("popularity");
        fit("item_knn");
        open("item_knn");
    }

    /// A server with `options` that serves the run, on the same database.
    void open(const std::string& run) {
        engine.reset();
        store.reset();
        store = std::make_unique<data::SqliteEventStore>(
            data::SqliteStoreOptions{.file = folder / "events.db"}
        );
        engine = std::make_unique<Engine>(options, dataset, *store, clock);
        engine->publish(
            {.run = folder / run,
             .data = folder.path(),
             .admit = [this](const auto& /*run*/) { return Admitted{.knobs = chooses_knobs}; }},
            silent,
            {}
        );
    }

    void open_with_knobs(const std::string& run, const policy::Knobs& knobs) {
        chooses_knobs = std::make_shared<policy::ConstantKnobs>(knobs);
        open(run);
    }

    void fit(const std::string& model, const Settings& settings = {}) {
        train::fit_run(
            {.entry = train::find_model(model),
             .settings = settings,
             .dataset = *dataset,
             .folder = folder / model},
            silent,
            {}
        );
    }

    std::string recommend(const std::string& body) {
        const auto answer = nlohmann::json::parse(
            value_or_throw(engine->recommend(value_or_throw(parse_recommend(body))))
        );
        clock.advance(std::chrono::milliseconds{10});
        last_item = answer["items"][0]["item_id"];
        return answer["recommendation_id"];
    }

    void click(const std::string& user, const std::string& item, const std::string& answers) {
        std::promise<Result<nlohmann::json>> promise;
        engine->append(
            value_or_throw(parse_events(fmt::format(
                R"({{"events": [{{"event_id": "e{}", "user_id": "{}", "item_id": "{}",
                    "event": "click", "recommendation_id": "{}"}}]}})",
                ++n_events,
                user,
                item,
                answers
            ))),
            [&promise](auto result) { promise.set_value(std::move(result)); }
        );
        (void)value_or_throw(promise.get_future().get());
        clock.advance(std::chrono::milliseconds{10});
    }

    /// Users of the dataset and new ones, who click every other slate, with masks of all kinds.
    void serve_some(std::size_t k) {
        for (int round = 0; round < 8; ++round) {
            for (int u = 55; u < 65; ++u) {
                const auto user = fmt::format("user{}", u);
                const auto* masks = round % 3 == 0   ? ""
                                    : round % 3 == 1 ? R"(, "seen": "allow", "exclude": ["item3"])"
                                                     : R"(, "filter": {"group": ["g0", "g1"]})";
                const auto id =
                    recommend(fmt::format(R"({{"user_id": "{}", "k": {}{}}})", user, k, masks));
                if ((round + u) % 2 == 0) {
                    click(user, last_item, id);
                }
            }
        }
    }

    data::ServedLog read() {
        store->flush();
        return value_or_throw(data::read_served_log(folder / "events.db", *dataset));
    }

    /// Waits for a write.
    template <typename Call>
    void change(Call call) {
        std::promise<Result<void>> promise;
        call([&promise](Result<void> result) { promise.set_value(std::move(result)); });
        value_or_throw(promise.get_future().get());
        clock.advance(std::chrono::milliseconds{10});
    }

    /// The run must give every propensity of the log again, bit for bit.
    void expect_itself(const std::string& run) {
        const auto served = read();
        const auto judged = judge(served, {{.run = folder / run}});
        EXPECT_EQ(judged.judged.policies[0].probability, served.log.propensity);
        for (const double mass : judged.judged.policies[0].supported_mass) {
            EXPECT_NEAR(mass, 1, 1e-9);
        }
    }

    JudgedServed judge(const data::ServedLog& served, const std::vector<ServedPolicy>& policies) {
        return judge_served(
            {.dataset = dataset, .data = folder.path(), .served = served}, policies, silent, {}
        );
    }

    testing_support::TemporaryFolder folder;
    EngineOptions options{.policy = {.epsilon = .2, .temperature = 1, .max_candidates = 20}};
    std::shared_ptr<const policy::KnobPolicy> chooses_knobs =
        std::make_shared<policy::ConstantKnobs>();
    SilentProgress silent;
    ManualClock clock{1'700'000'000'000};
    std::shared_ptr<const data::Dataset> dataset;
    std::unique_ptr<data::SqliteEventStore> store;
    std::unique_ptr<Engine> engine;
    std::string last_item;
    int n_events = 0;
};

TEST_F(JudgeServedTest, the_run_that_served_gives_its_propensities_again) {
    for (const std::size_t k : {1, 3}) {
        serve_some(k);
    }
    const auto served = read();

    const auto judged = judge(served, {{.run = folder / "item_knn"}, {}});

    ASSERT_EQ(served.log.size(), 160U);
    EXPECT_EQ(judged.judged.policies[0].probability, served.log.propensity);
    EXPECT_EQ(judged.judged.policies[1].probability, served.log.propensity);
    EXPECT_EQ(judged.agreement[0], 1.0);
    EXPECT_FALSE(judged.agreement[1]);
    for (const auto& policy : judged.judged.policies) {
        for (const double mass : policy.supported_mass) {
            EXPECT_NEAR(mass, 1, 1e-9);
        }
    }
}

TEST_F(JudgeServedTest, predicted_rewards_average_to_what_was_earned) {
    serve_some(1);
    const auto served = read();

    const auto judged = judge(served, {{.run = folder / "popularity"}, {}});

    const auto& reward = served.log.reward;
    const auto& own = judged.judged.policies[1];
    ASSERT_EQ(own.q_policy.size(), reward.size());
    const auto mean = [](const std::vector<double>& x) {
        return std::reduce(x.begin(), x.end()) / static_cast<double>(x.size());
    };
    EXPECT_NEAR(mean(own.q_policy), mean(reward), .15);
    EXPECT_EQ(judged.judged.q_factual.size(), reward.size());
    EXPECT_EQ(judged.judged.policies[0].mrdr_q_policy.size(), reward.size());
}

TEST_F(JudgeServedTest, another_run_draws_from_its_own_candidates) {
    serve_some(1);
    const auto served = read();
    data::IdMap ids = served.log.items;
    const Replay replay{
        {.dataset = dataset,
         .served = served,
         .source = {.run = folder / "popularity", .data = folder.path()}},
        ids
    };
    ReplayCache cache;

    for (std::size_t i = 0; i < served.log.size(); ++i) {
        const auto pool = replay.pool(i, {.options = {.max_candidates = 5}}, cache);
        ASSERT_LE(pool.size(), 5U);
        EXPECT_TRUE(std::ranges::is_sorted(pool, std::greater{}, &Scored::score));
        if (served.masks[i].contains("item3")) {
            const auto excluded = [&](const Scored& one) { return ids.name(one.index) == "item3"; };
            EXPECT_TRUE(std::ranges::none_of(pool, excluded));
        }
    }
    const auto greedy = judge(
        served,
        {{.run = folder / "popularity", .epsilon = 0, .temperature = 0, .max_candidates = 5}}
    );
    for (const double p : greedy.judged.policies[0].probability) {
        EXPECT_TRUE(p == 0 || p == 1) << p;
    }
}

TEST_F(JudgeServedTest, items_are_offered_only_while_they_were_there) {
    click("bob", "late", "");  // named before it is there
    recommend(R"({"user_id": "ann", "k": 1})");
    change([&](auto done) { engine->put_item("late", {{"group", "g1"}}, done); });
    change([&](auto done) { engine->delete_item("item1", done); });
    recommend(R"({"user_id": "ann", "k": 1})");
    change([&](auto done) { engine->delete_item("late", done); });
    recommend(R"({"user_id": "ann", "k": 1})");
    const auto served = read();
    data::IdMap ids = served.log.items;
    const Replay replay{
        {.dataset = dataset,
         .served = served,
         .source = {.run = folder / "item_knn", .data = folder.path()}},
        ids
    };
    ReplayCache cache;
    const auto has = [&](std::size_t decision, std::string_view item) {
        const auto pool = replay.pool(decision, {.options = {.max_candidates = 1000}}, cache);
        return std::ranges::any_of(pool, [&](const Scored& s) {
            return ids.name(s.index) == item;
        });
    };

    EXPECT_TRUE(has(0, "item1"));
    EXPECT_FALSE(has(0, "late"));
    EXPECT_FALSE(has(1, "item1"));
    EXPECT_TRUE(has(1, "late"));
    EXPECT_FALSE(has(2, "late"));
}

TEST_F(JudgeServedTest, a_belief_that_learned_event_by_event_gives_its_propensities_again) {
    options.sessions.max_history = 9;  // the dataset's 8 events and one more: then one is forgotten
    for (const auto* run : {"gaussian", "blend"}) {
        fit(run);
        open(run);
        serve_some(2);
    }
    const auto served = read();
    ASSERT_EQ(served.log.size(), 160U);

    const auto judged = judge_served(
        {.dataset = dataset, .data = folder.path(), .served = served, .sessions = options.sessions},
        std::vector<ServedPolicy>{{.run = folder / "gaussian"}, {.run = folder / "blend"}},
        silent,
        {}
    );

    for (std::size_t p = 0; p < 2; ++p) {
        EXPECT_EQ(judged.agreement[p], 1.0);
    }
}

TEST_F(JudgeServedTest, knobs_in_force_are_in_force_again) {
    fit("gaussian");
    open_with_knobs("gaussian", {.exploration = 1, .content = .5, .diversity = .7});
    change([&](auto done) { engine->put_knobs("user56", {.exploration = -2}, done); });
    change([&](auto done) { engine->put_knobs("user57", {.diversity = 3}, done); });
    serve_some(3);
    open_with_knobs("gaussian", {});  // later ones do not count
    change([&](auto done) { engine->put_knobs("user57", {}, done); });
    change([&](auto done) { engine->put_knobs("user58", {.exploration = 4}, done); });

    const auto served = read();
    const std::set<std::string> versions{served.version.begin(), served.version.end()};
    EXPECT_EQ(versions.size(), 3U);
    expect_itself("gaussian");
    EXPECT_EQ(judge(served, {{.run = folder / "gaussian"}}).agreement[0], 1.0);
}

TEST_F(JudgeServedTest, the_wishes_of_then_and_what_is_forgotten_by_now_are_known) {
    fit("gaussian");
    open("gaussian");
    for (const double preference : {2, -1}) {
        change([&](auto done) { engine->put_wishes("user55", {{"group", "g1", preference}}, done); }
        );
        serve_some(2);
    }
    change([&](auto done) { engine->put_wishes("user55", {}, done); });
    serve_some(2);
    expect_itself("gaussian");

    change([&](auto done) { engine->forget_event("user56", "dataset:0", done); });
    const auto served = read();
    const auto judged = judge(served, {{.run = folder / "gaussian"}});
    for (std::size_t i = 0; i < served.log.size(); ++i) {
        const bool has_forgotten = served.log.users.name(served.log.user[i]) == "user56";
        const bool is_same = judged.judged.policies[0].probability[i] == served.log.propensity[i];
        EXPECT_TRUE(is_same || has_forgotten);
    }
    EXPECT_LT(judged.agreement[0], 1.0) << "nobody is judged by what they took back";
    EXPECT_GT(judged.agreement[0], 0.8);
}

TEST_F(JudgeServedTest, attributes_put_by_http_decide_whose_prior_it_starts_from) {
    Settings settings;
    settings.set("segment_field", "team");
    settings.set("segment_shrinkage", "1");
    fit("gaussian", settings);
    open("gaussian");
    change([&](auto done) { engine->put_user("stranger", {{"team", "t2"}}, done); });
    for (int i = 0; i < 10; ++i) {
        recommend(R"({"user_id": "stranger", "k": 2})");
        recommend(R"({"user_id": "nobody", "k": 2})");
    }

    expect_itself("gaussian");
}

TEST_F(JudgeServedTest, slots_drawn_from_a_wider_pool_have_their_propensities_again) {
    options.policy = {
        .epsilon = .1,
        .temperature = .5,
        .max_candidates = 5,
        .random_share = .5,
        .random_candidates = 30
    };
    open("item_knn");
    serve_some(1);
    serve_some(3);

    const auto served = read();
    EXPECT_GT(served.log.candidates.row(0).size(), 20U);
    expect_itself("item_knn");
}

TEST_F(JudgeServedTest, the_novelty_knob_is_judged_by_what_the_log_says) {
    open_with_knobs("item_knn", {.novelty = 1});
    serve_some(2);
    const auto served = read();

    const auto judged =
        judge(served, {{.run = folder / "item_knn"}, {.run = folder / "popularity"}});

    EXPECT_EQ(judged.judged.policies[0].probability, served.log.propensity);
    EXPECT_FALSE(judged.agreement[0]) << "no decision of it was made again";
    EXPECT_NE(judged.judged.policies[1].probability, served.log.propensity);
}

/// As in engine_test.cpp: the less is known, the more it explores.
std::shared_ptr<const policy::KnobActor> curious_actor(float slope) {
    return std::make_shared<const policy::KnobActor>(
        policy::KnobActor::Layers{
            .hidden = Matrix<float>(1, 4, {.001F, 0, 0, 0}),
            .hidden_bias = {0},
            .out = Matrix<float>(3, 1, {-1000 * slope, 0, 0}),
            .out_bias = {1, 0, 0},
        },
        fmt::format("curious@{}", slope)
    );
}

TEST_F(JudgeServedTest, a_learned_policy_that_served_gives_its_propensities_again) {
    fit("gaussian");
    chooses_knobs = curious_actor(4);
    open("gaussian");
    serve_some(1);
    serve_some(3);
    const auto served = read();
    ASSERT_GT(std::set<std::string>(served.version.begin(), served.version.end()).size(), 3U)
        << "the actor chose other knobs for other users";

    const auto judged = judge(
        served,
        {{.run = folder / "gaussian", .knobs = curious_actor(4)},
         {.run = folder / "gaussian"},
         {.run = folder / "gaussian", .knobs = curious_actor(0)}}
    );

    EXPECT_EQ(judged.judged.policies[0].probability, served.log.propensity);
    EXPECT_EQ(judged.agreement[0], 1.0);
    EXPECT_EQ(judged.judged.policies[1].probability, served.log.propensity)
        << "without a policy of its own: the knobs of the log";
    EXPECT_NE(judged.judged.policies[2].probability, served.log.propensity);
    EXPECT_FALSE(judged.agreement[2]) << "another policy did not serve";
}

}  // namespace
}  // namespace hg::serve
