// SPDX-License-Identifier: Apache-2.0
// The encoder that reads behaviour as text, in runs of every deep agent: saved, loaded, begun with.
#include "policy/learn.hpp"
#include "policy/word_bert.hpp"
#include "simulate/item_texts.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

using testing::HasSubstr;

struct Case {
    const char* agent;
    int tuned_layers;
};

class BertState : public testing::TestWithParam<Case> {
  protected:
    BertState() {
        write_word_bert(model());
        Matrix<float> rows(3, world_->facts().item_size);
        const auto items = world_->observe().items;
        for (std::size_t i = 0; i < rows.rows(); ++i) {
            std::ranges::copy(items.row(i), rows.row(i).begin());
        }
        names_ = std::make_shared<const simulate::ItemTexts>(
            std::as_const(rows).view(), std::vector<std::string>{"item 7", "item 8", "item 9"}
            // the others are topics
        );
    }

    [[nodiscard]] std::filesystem::path model() const { return folder_ / "model"; }

    LearnResult learn_in(
        const std::string& name,
        const Case& wanted,
        const std::filesystem::path& start_from = {},
        std::int64_t steps = 800
    ) {
        Settings settings;
        settings.set("encoder", "bert");
        settings.set("session_length", "4");
        settings.set("hidden", "16");
        settings.set("bert.model", model().string());
        settings.set("bert.tuned_layers", std::to_string(wanted.tuned_layers));
        const auto batch = make_batch(*world_, 1);
        const LearnRequest request{
            .entry = find_agent(wanted.agent),
            .agent_settings = settings,
            .options =
                {.steps = steps, .users = 8, .evaluate_every = 400, .evaluation_episodes = 32},
            .seed = 5,
            .world = *batch,
            .held_out = *batch,
            .world_facts = {{"name", "slate_mdp"}},
            .folder = folder_ / name,
            .start_from = start_from.string(),
            .item_texts = names_,
        };
        SilentProgress silent;
        return learn_run(request, silent, {});
    }

    [[nodiscard]] LoadedAgent load(const std::string& name) const {
        return load_agent((folder_ / name).string(), world_->facts(), {}, 7);
    }

    /// As learn() judges.
    [[nodiscard]] double played(LoadedAgent& player) const {
        const auto batch = make_batch(*world_, 32);
        const PlayOptions options{
            .episodes = 32, .seed = 5 ^ 0x5eedULL, .session_tokens = player.session_tokens
        };
        return play(*batch, *player.agent, options).mean_return.value;
    }

    testing_support::TemporaryFolder folder_;
    std::unique_ptr<simulate::Environment> world_ = simulate::make_world("slate_mdp");
    std::shared_ptr<const simulate::ItemTexts> names_;
};

TEST_P(BertState, a_run_plays_as_it_was_judged_and_a_seed_gives_the_same_run) {
    const auto first = learn_in("first", GetParam());
    const auto again = learn_in("again", GetParam());
    auto player = load("first");

    EXPECT_EQ(player.session_tokens, 4U);
    EXPECT_EQ(played(player), first.best_return);
    ASSERT_EQ(first.curve.size(), again.curve.size());
    for (std::size_t i = 0; i < first.curve.size(); ++i) {
        EXPECT_EQ(first.curve[i].mean_return.value, again.curve[i].mean_return.value);
    }
}

TEST_P(BertState, learning_begins_with_the_weights_of_another_run) {
    const auto before = learn_in("before", GetParam());
    const auto after = learn_in("after", GetParam(), folder_ / "before", 8);

    EXPECT_EQ(after.curve.front().mean_return.value, before.best_return);
}

INSTANTIATE_TEST_SUITE_P(
    agents,
    BertState,
    testing::Values(
        Case{"dqn", 0},
        Case{"slate_q", 1},
        Case{"reinforce", 0},
        Case{"a2c", 1},
        Case{"ppo", 0},
        Case{"ppo", 2}
    ),
    [](const auto& info) {
        return std::string{info.param.agent} + "_tuning_" + std::to_string(info.param.tuned_layers);
    }
);

using BertRun = BertState;

TEST_F(BertRun, holds_the_layers_that_learned_and_nothing_of_those_that_did_not) {
    (void)learn_in("frozen", {"ppo", 0});
    const auto learned_tuned = learn_in("tuned", {"ppo", 1}, {}, 8000);
    ASSERT_GT(learned_tuned.best_step, 0) << "else the first weights are kept";
    const auto first_layer = std::string{"net.encoder.tail.layers.0.qkv.weight"};
    const auto open = [&](const std::string& name) {
        return value_or_throw(SafetensorsFile::open(folder_ / name / "weights.safetensors"));
    };
    const auto frozen = open("frozen");
    const auto tuned = open("tuned");
    const auto pretrained = value_or_throw(SafetensorsFile::open(model() / "model.safetensors"));

    EXPECT_FALSE(frozen.contains(first_layer));
    EXPECT_FALSE(tuned.contains("net.encoder.tail.layers.1.qkv.weight"));
    const auto learned = value_or_throw(tuned.values<float>(first_layer));
    const auto query =
        value_or_throw(pretrained.values<float>("bert.encoder.layer.1.attention.self.query.weight")
        );
    double moved = 0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        moved = std::max(moved, static_cast<double>(std::abs(learned[i] - query[i])));
    }
    EXPECT_GT(moved, 1e-4);
    EXPECT_LT(moved, 0.5);
}

TEST_F(BertRun, knows_the_items_by_name_where_the_world_does_not) {
    (void)learn_in("run", {"ppo", 0});

    const auto names = simulate::ItemTexts::load(
        value_or_throw(SafetensorsFile::open(folder_ / "run" / "item_texts.safetensors"))
    );

    EXPECT_EQ(names.size(), 3U);
    EXPECT_EQ(names.find(world_->observe().items.row(1)), "item 8");
}

TEST_F(BertRun, is_refused_with_another_model_than_its_own) {
    (void)learn_in("run", {"ppo", 1});
    write_word_bert(model(), 12);

    try {
        (void)load("run");
        FAIL() << "the model is another one";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("another text model"));
        EXPECT_THAT(error.what(), HasSubstr(model().string()));
    }
}

TEST_F(BertRun, does_not_begin_with_a_run_of_another_agent) {
    (void)learn_in("ppo", {"ppo", 0});

    try {
        (void)learn_in("a2c", {"a2c", 0}, folder_ / "ppo");
        FAIL() << "a run of another agent";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("a2c cannot begin with a run of ppo"));
    }
}

}  // namespace
}  // namespace hg::policy
