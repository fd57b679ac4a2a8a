// SPDX-License-Identifier: Apache-2.0
#include "train/recommend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace hg::train {
namespace {

using testing::HasSubstr;

/// Scores item i by i, plus 10 per positive event of the history on the item before it.
class Ladder final : public Recommender {
  public:
    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            for (std::size_t item = 0; item < n_items(); ++item) {
                out(row, item) = static_cast<float>(item);
            }
            for (std::size_t i = 0; i < histories[row].size(); ++i) {
                const auto next = histories[row].items[i].index() + 1;
                if (next < n_items() && histories[row].weight(i) > 0) {
                    out(row, next) += 10.0F;
                }
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return 5; }

    void save(SafetensorsWriter& /*weights*/) const override {}
};

LoadedRun ladder() {
    LoadedRun run;
    run.name = "ladder";
    run.manifest = {
        {"dataset",
         {{"event_types",
           {{{"name", "click"}, {"weight", 1.0}}, {{"name", "skip"}, {"weight", -1.0}}}}}}
    };
    for (const auto* id : {"a", "b", "c", "d", "e\""}) {
        run.items.intern(id);
    }
    run.model = std::make_shared<Ladder>();
    return run;
}

struct Answers {
    std::vector<nlohmann::json> lines;
    RecommendSummary summary;

    [[nodiscard]] std::vector<std::string> items(std::size_t line) const {
        std::vector<std::string> ids;
        for (const auto& item : lines.at(line)["items"]) {
            ids.push_back(item["item_id"]);
        }
        return ids;
    }
};

Answers ask(std::string_view queries, RecommendOptions options = {.k = 2}) {
    const auto run = ladder();
    SilentProgress progress;
    std::ostringstream out;
    Answers answers;
    answers.summary = recommend_lines(run, queries, "q.jsonl", out, options, progress, {});
    std::istringstream in{out.str()};
    for (std::string line; std::getline(in, line);) {
        answers.lines.push_back(nlohmann::json::parse(line));
    }
    return answers;
}

std::string error_of(std::string_view queries) {
    try {
        (void)ask(queries);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Recommend, answers_in_input_order_with_history_masked) {
    const auto answers = ask(R"({"user_id": "u2", "history": ["a"]}
{"user_id": 7, "history": []}
)");

    EXPECT_EQ(answers.lines[0]["user_id"], "u2");
    EXPECT_THAT(answers.items(0), testing::ElementsAre("b", "e\""));
    EXPECT_EQ(answers.lines[1]["user_id"], "7");
    EXPECT_THAT(answers.items(1), testing::ElementsAre("e\"", "d"));
}

TEST(Recommend, repeats_are_returned_where_allowed) {
    const auto answers = ask(R"({"history": ["a", "b"]})", {.k = 2, .seen = Seen::allow});

    EXPECT_THAT(answers.items(0), testing::ElementsAre("c", "b"));
    EXPECT_TRUE(answers.lines[0]["user_id"].is_null());
}

TEST(Recommend, event_types_carry_the_weights_of_the_dataset) {
    const auto answers = ask(R"({"history": [{"item_id": "a", "event": "skip"}]})");

    EXPECT_THAT(answers.items(0), testing::ElementsAre("e\"", "d"));
}

TEST(Recommend, candidates_limit_and_exclude_removes) {
    const auto answers = ask(R"({"candidates": ["a", "c", "d", "nobody"], "exclude": ["d"]})");

    EXPECT_THAT(answers.items(0), testing::ElementsAre("c", "a"));
    EXPECT_EQ(answers.summary.n_unknown_items, 1);
}

TEST(Recommend, unknown_items_are_ignored_and_counted) {
    const auto answers = ask(R"({"history": ["zzz", "a", "yyy"]})");

    EXPECT_THAT(answers.items(0), testing::ElementsAre("b", "e\""));
    EXPECT_EQ(answers.summary.n_unknown_items, 2);
}

TEST(Recommend, unknown_keys_are_reported) {
    EXPECT_THAT(ask(R"({"histroy": ["a"]})").summary.unknown_keys, testing::ElementsAre("histroy"));
}

TEST(Recommend, more_queries_than_a_batch_are_all_answered) {
    std::string queries;
    for (int i = 0; i < 1000; ++i) {
        queries += R"({"user_id":)" + std::to_string(i) + "}\n";
    }

    const auto answers = ask(queries);

    ASSERT_EQ(answers.lines.size(), 1000);
    EXPECT_EQ(answers.lines[999]["user_id"], "999");
}

TEST(Recommend, a_bad_line_is_named_by_file_and_line) {
    EXPECT_THAT(error_of("{}\n\n{\"history\": 3}\n"), HasSubstr("q.jsonl:3: history is a number"));
    EXPECT_THAT(error_of("nonsense"), HasSubstr("q.jsonl:1: not JSON"));
    EXPECT_THAT(error_of("[]"), HasSubstr("the line is a list, expected an object"));
    EXPECT_THAT(error_of(R"({"history": [[]]})"), HasSubstr("history[0] is a list"));
    EXPECT_THAT(
        error_of(R"({"history": [{"event": "x"}]})"), HasSubstr("expected an object with item_id")
    );
    EXPECT_THAT(error_of(R"({"exclude": [1.5]})"), HasSubstr("exclude[0]"));
    EXPECT_THAT(error_of(R"({"user_id": {}})"), HasSubstr("user_id is an object"));
}

TEST(Recommend, a_stop_request_ends_with_interrupted) {
    const auto run = ladder();
    SilentProgress progress;
    std::ostringstream out;
    std::stop_source stop;
    stop.request_stop();

    EXPECT_THROW(recommend_lines(run, "{}\n", "q", out, {}, progress, stop.get_token()), Error);
}

}  // namespace
}  // namespace hg::train
