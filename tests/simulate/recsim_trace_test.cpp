// SPDX-License-Identifier: Apache-2.0
// Episodes recorded from RecSim 0.2.4: our worlds must repeat every draw of them.
#include "data/text_file.hpp"
#include "simulate/worlds/interest_evolution.hpp"
#include "simulate/worlds/interest_exploration.hpp"
#include "simulate/worlds/long_term_satisfaction.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace hg::simulate {
namespace {

using nlohmann::json;

std::vector<json> read_trace(const std::string& name) {
    const auto path = std::filesystem::path{HG_SHARED_DIR} / "reference/recsim" / name;
    std::vector<json> lines;
    if (!std::filesystem::exists(path)) {
        return lines;
    }
    const auto file = value_or_throw(data::TextFile::open(path));
    const auto text = file.text();
    std::size_t begin = 0;
    while (begin < text.size()) {
        const auto end = std::min(text.find('\n', begin), text.size());
        if (end > begin) {
            lines.push_back(json::parse(
                text.begin() + static_cast<std::ptrdiff_t>(begin),
                text.begin() + static_cast<std::ptrdiff_t>(end)
            ));
        }
        begin = end + 1;
    }
    return lines;
}

#define SKIP_WITHOUT(trace)                                                    \
    if ((trace).empty()) {                                                     \
        GTEST_SKIP() << "needs ../shared/reference/recsim, which is not here"; \
    }

void expect_choice(const json& expected, std::span<const double> probabilities) {
    ASSERT_EQ(expected.size(), probabilities.size());
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
        EXPECT_NEAR(expected[i].get<double>(), probabilities[i], 1e-14);
    }
}

void replay_interest_evolution(const std::string& name, bool resample) {
    const auto trace = read_trace(name);
    SKIP_WITHOUT(trace);
    InterestEvolution world{{.resample_documents = resample}};
    world.seed_streams(0, 0, 42);
    std::int64_t episode = -1;
    std::size_t steps = 0;
    for (std::size_t line = 1; line < trace.size(); ++line) {
        const auto& row = trace[line];
        SCOPED_TRACE(name + ":" + std::to_string(line + 1));
        if (row["ep"].get<std::int64_t>() != episode) {
            ++episode;
            world.begin_episode();
        }
        const auto interests = row["user"]["user_interests"].get<std::vector<double>>();
        ASSERT_TRUE(std::ranges::equal(interests, world.interests()));
        ASSERT_EQ(row["user"]["time_budget"].get<double>(), world.budget());
        for (std::size_t i = 0; i < world.documents().size(); ++i) {
            ASSERT_EQ(
                row["docs"][i]["cluster_id"].get<std::uint32_t>(), world.documents()[i].topic
            );
            ASSERT_EQ(row["docs"][i]["quality"].get<double>(), world.documents()[i].quality);
        }

        const auto step = world.step(row["slate"].get<std::vector<std::uint32_t>>());

        expect_choice(row["choice_probs"], world.choice_probabilities());
        for (std::size_t slot = 0; slot < step.responses.size(); ++slot) {
            ASSERT_EQ(row["response"][slot]["click"].get<int>() != 0, step.responses[slot].clicked);
        }
        ASSERT_EQ(row["reward"].get<double>(), step.reward);
        ASSERT_EQ(row["done"].get<bool>(), step.ended);
        ASSERT_EQ(row["user_after"]["time_budget"].get<double>(), world.budget());
        ++steps;
    }
    EXPECT_GT(steps, 250U);
}

TEST(RecSimTrace, interest_evolution_repeats_with_new_documents_at_every_step) {
    replay_interest_evolution("interest_evolution_c10_s2.jsonl.gz", true);
}

TEST(RecSimTrace, interest_evolution_repeats_with_fixed_documents) {
    replay_interest_evolution("interest_evolution_c10_s2_fixed.jsonl.gz", false);
}

TEST(RecSimTrace, interest_exploration_repeats) {
    const auto trace = read_trace("interest_exploration_c10_s2.jsonl.gz");
    SKIP_WITHOUT(trace);
    InterestExploration world{{}};
    world.seed_streams(0, 0, 42);
    std::int64_t episode = -1;
    for (std::size_t line = 1; line < trace.size(); ++line) {
        const auto& row = trace[line];
        SCOPED_TRACE(line + 1);
        if (row["ep"].get<std::int64_t>() != episode) {
            ++episode;
            world.begin_episode();
        }
        for (std::size_t topic = 0; topic < 2; ++topic) {
            ASSERT_NEAR(
                row["user"]["topic_affinity"][topic].get<double>(), world.affinities()[topic], 1e-14
            );
        }
        for (std::size_t i = 0; i < world.documents().size(); ++i) {
            ASSERT_EQ(
                row["docs"][i]["cluster_id"].get<std::uint32_t>(), world.documents()[i].topic
            );
            ASSERT_NEAR(
                row["docs"][i]["quality"].get<double>(), world.documents()[i].quality, 1e-14
            );
        }

        const auto step = world.step(row["slate"].get<std::vector<std::uint32_t>>());

        expect_choice(row["choice_probs"], world.choice_probabilities());
        for (std::size_t slot = 0; slot < step.responses.size(); ++slot) {
            ASSERT_EQ(row["response"][slot]["click"].get<int>() != 0, step.responses[slot].clicked);
        }
        ASSERT_EQ(row["reward"].get<double>(), step.reward);
    }
}

TEST(RecSimTrace, long_term_satisfaction_repeats) {
    const auto trace = read_trace("long_term_satisfaction_c5_s1.jsonl.gz");
    SKIP_WITHOUT(trace);
    LongTermSatisfaction world{{}};
    world.seed_streams(0, 0, 42);
    std::int64_t episode = -1;
    for (std::size_t line = 1; line < trace.size(); ++line) {
        const auto& row = trace[line];
        SCOPED_TRACE(line + 1);
        if (row["ep"].get<std::int64_t>() != episode) {
            ++episode;
            world.begin_episode();
        }
        const auto& user = row["user"];
        ASSERT_NEAR(user["net_positive_exposure"].get<double>(), world.exposure(), 1e-14);
        ASSERT_NEAR(user["satisfaction"].get<double>(), world.satisfaction(), 1e-14);
        for (std::size_t i = 0; i < world.clickbait().size(); ++i) {
            ASSERT_EQ(row["docs"][i]["clickbait_score"].get<double>(), world.clickbait()[i]);
        }

        const auto step = world.step(row["slate"].get<std::vector<std::uint32_t>>());

        ASSERT_NEAR(row["reward"].get<double>(), step.reward, 1e-11);
        ASSERT_EQ(row["user_after"]["time_budget"].get<int>() == 0, step.ended);
    }
}

}  // namespace
}  // namespace hg::simulate
