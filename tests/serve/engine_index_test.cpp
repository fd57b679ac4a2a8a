// SPDX-License-Identifier: Apache-2.0
// The engine with an index beside itself without one, on a catalogue that is larger than what is
// kept of a user.
#include "serve/engine_world.hpp"

#include <algorithm>

namespace hg::serve {
namespace {

constexpr std::size_t n_groups = 300;  // of ten items

class EngineIndexTest : public EngineTest {
  protected:
    EngineIndexTest() {
        world_options = {
            .n_users = 300, .n_items = 3000, .n_groups = n_groups, .own_group = 0.5, .seed = 3
        };
    }

    void SetUp() override {
        EngineTest::SetUp();
        Settings settings;
        settings.set("factors", "16");
        fit("als", settings);
        open_greedy();
    }

    void find_by(IndexChoice index, ItemPrecision precision = ItemPrecision::float32) {
        retrieval = {.index = index, .precision = precision};
    }

    nlohmann::json facts() { return value_or_throw(engine->status())["retrieval"]; }

    /// What the run answers to every body when all items are scored, and when they are found by
    /// `index`.
    struct Answers {
        std::vector<std::vector<std::string>> exact;
        std::vector<std::vector<std::string>> found;
    };

    Answers both(const std::string& run, const std::vector<std::string>& bodies) {
        Answers answers;
        find_by(IndexChoice::exact);
        publish(run);
        for (const auto& body : bodies) {
            answers.exact.push_back(ids(body));
        }
        find_by(IndexChoice::hnsw);
        publish(run);
        EXPECT_EQ(facts()["search"], "hnsw");
        for (const auto& body : bodies) {
            answers.found.push_back(ids(body));
        }
        return answers;
    }

    static std::vector<std::string> of_users(const std::string& more) {
        std::vector<std::string> bodies;
        for (int user = 0; user < 30; ++user) {
            bodies.push_back(fmt::format(R"({{"user_id": "user{}", "k": 20{}}})", user, more));
        }
        return bodies;
    }
};

double share_equal(
    const std::vector<std::vector<std::string>>& a, const std::vector<std::vector<std::string>>& b
) {
    double found = 0;
    double all = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        all += static_cast<double>(a[i].size());
        for (const auto& id : a[i]) {
            found += has(b[i], id) ? 1 : 0;
        }
    }
    return found / all;
}

TEST_F(EngineIndexTest, slates_are_those_of_scoring_every_item) {
    for (const std::string run : {"als", "gaussian"}) {
        const auto answers = both(run, of_users(""));
        EXPECT_GE(share_equal(answers.exact, answers.found), 0.98) << run;
        EXPECT_TRUE(std::filesystem::exists(folder / (run + ".hnsw.safetensors")));
    }
}

TEST_F(EngineIndexTest, seen_and_excluded_items_are_not_shown_and_their_places_are_filled) {
    find_by(IndexChoice::hnsw);
    publish("als");
    const auto first = ids(R"({"user_id": "user1", "k": 20})");
    append(event("e1", "user1", first[0]) + "," + event("e2", "user1", first[1]));

    const auto second =
        ids(fmt::format(R"({{"user_id": "user1", "k": 20, "exclude": ["{}"]}})", first[2]));

    EXPECT_EQ(second.size(), 20U);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(has(second, first[static_cast<std::size_t>(i)]));
    }
}

TEST_F(EngineIndexTest, a_filter_that_leaves_few_of_the_candidates_is_answered_from_all_items) {
    // Ten items of 3,000 in each group: about two of the 512 that are kept.
    const auto answers = both("als", of_users(R"(, "filter": {"group": "group7"})"));

    EXPECT_EQ(answers.found, answers.exact);
    for (const auto& ids : answers.found) {
        EXPECT_GE(ids.size(), 7U) << "all of the group but those seen";
    }
}

TEST_F(EngineIndexTest, hidden_items_are_not_shown_however_many_there_are) {
    find_by(IndexChoice::hnsw);
    publish("als");
    std::vector<std::string> hidden;
    for (int round = 0; round < 7; ++round) {  // more than are kept of a user
        for (const auto& id : ids(R"({"user_id": "user5", "k": 100})")) {
            wait([&](auto done) { engine->delete_item(id, done); });
            hidden.push_back(id);
        }
    }
    ASSERT_EQ(hidden.size(), 700U);

    const auto left = ids(R"({"user_id": "user5", "k": 20})");

    EXPECT_EQ(left.size(), 20U);
    EXPECT_TRUE(std::ranges::none_of(left, [&](const auto& id) { return has(hidden, id); }));
}

TEST_F(EngineIndexTest, an_arrival_is_scored_beside_the_index) {
    wait([&](auto done) { engine->put_item("fresh", {{"title", "Fresh"}}, done); });
    for (int i = 0; i < 100; ++i) {  // the most popular by far: at the top of everybody's scores
        append(event(fmt::format("e{}", i), fmt::format("reader{}", i), "fresh"));
    }
    for (const std::string run : {"als", "gaussian"}) {
        const auto answers = both(run, {R"({"user_id": "user4", "k": 20})"});
        EXPECT_TRUE(has(answers.exact.front(), "fresh")) << run;
        EXPECT_TRUE(has(answers.found.front(), "fresh")) << run;
    }
}

TEST_F(EngineIndexTest, each_run_that_is_published_is_searched_by_its_own_index) {
    find_by(IndexChoice::hnsw);
    const std::string body = R"({"user_id": "user3", "k": 20})";
    publish("als");
    const auto of_als = ids(body);
    publish("gaussian");
    const auto of_gaussian = ids(body);
    publish("als");

    EXPECT_EQ(ids(body), of_als);
    EXPECT_NE(of_gaussian, of_als);
}

TEST_F(EngineIndexTest, a_table_of_int8_changes_no_answer) {
    find_by(IndexChoice::exact);
    publish("als");
    const auto floats = recommend(R"({"user_id": "user9", "k": 50})")["items"];
    find_by(IndexChoice::exact, ItemPrecision::int8);
    publish("als");

    EXPECT_EQ(facts()["table"], "int8");
    EXPECT_EQ(recommend(R"({"user_id": "user9", "k": 50})")["items"], floats);
}

TEST_F(EngineIndexTest, wishes_move_every_item_with_an_index_too) {
    const std::vector<std::string> bodies{R"({"user_id": "user2", "k": 50})"};
    const auto before = both("gaussian", bodies);

    wish("user2", {{.field = "group", .name = "group8", .preference = 3}});

    const auto after = both("gaussian", bodies);
    EXPECT_EQ(after.found, after.exact);
    EXPECT_NE(after.found, before.found);
}

TEST_F(EngineIndexTest, a_model_without_item_vectors_scores_every_item_and_says_so) {
    fit("item_knn");
    find_by(IndexChoice::hnsw);

    publish("item_knn");

    EXPECT_EQ(facts()["search"], "every item");
    EXPECT_EQ(facts()["why"], "the model has no item vectors");
    EXPECT_EQ(ids(R"({"user_id": "user1", "k": 20})").size(), 20U);
}

}  // namespace
}  // namespace hg::serve
