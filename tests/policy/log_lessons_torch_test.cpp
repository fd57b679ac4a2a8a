// SPDX-License-Identifier: Apache-2.0
// The in-context policy pretrained on a log, where what it should believe is known.
#include "policy/agent_net.hpp"
#include "policy/impressions.hpp"
#include "policy/learn.hpp"
#include "policy/session_tokens.hpp"
#include "simulate/world_entry.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace hg::policy {
namespace {

constexpr std::size_t n_arms = 3;
constexpr std::size_t length = 6;

Settings settings_of(const std::vector<std::string>& assignments) {
    Settings settings;
    for (const auto& assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return settings;
}

class LogLessons : public testing::Test {
  protected:
    LogLessons()
        : world_(simulate::make_world(
              "bernoulli_bandit", settings_of({"arms=3", "redraw=episode", "step_limit=6"})
          )),
          batch_(make_batch(*world_, 64)) {}

    /// What chance shows, and what comes of it.
    std::filesystem::path write_log(std::size_t n_episodes) {
        const auto path = folder_.path() / "log.jsonl";
        std::ofstream out(path);
        ImpressionRecorder recorder{out, "random", world_->facts()};
        auto chance = load_agent("random", world_->facts(), {}, 7);
        (void)play(
            *batch_,
            *chance.agent,
            {.episodes = n_episodes, .seed = 11, .mode = Mode::explore},
            [&](const TransitionBatch& step, std::span<const std::uint64_t> episodes) {
                recorder(step, episodes);
            }
        );
        return path;
    }

    void learn(
        const simulate::EnvironmentBatch& world,
        const std::vector<std::string>& settings,
        std::int64_t steps
    ) {
        SilentProgress silent;
        (void)learn_run(
            {.entry = find_agent("in_context"),
             .agent_settings = settings_of(settings),
             .options =
                 {.steps = steps, .users = 64, .evaluate_every = steps, .evaluation_episodes = 64},
             .seed = 3,
             .world = world,
             .held_out = world,
             .world_facts = nlohmann::json::object(),
             .folder = run()},
            silent,
            {}
        );
    }

    [[nodiscard]] std::filesystem::path run() const { return folder_.path() / "run"; }

    /// log P(arm) of the learned policy where this was shown and answered before.
    std::vector<double> log_probabilities(const std::vector<std::pair<std::uint32_t, bool>>& answers
    ) {
        batch_->reset(1);
        const auto& facts = world_->facts();
        const auto token = SessionTokens::token_size(facts);
        Matrix<float> sessions(64, length * token);
        auto place = length - answers.size();
        for (const auto& [arm, won] : answers) {
            const simulate::Response response{.clicked = won, .value = won ? 1.0F : 0.0F};
            write_token(
                sessions.row(0).subspan(place++ * token, token),
                batch_->items().row(arm),
                arm,
                response
            );
        }
        auto player = load_agent(run().string(), facts, {}, 7);
        std::vector<double> logs;
        for (std::uint32_t arm = 0; arm < n_arms; ++arm) {
            Matrix<std::uint32_t> slates(64, 1);
            slates(0, 0) = arm;
            Matrix<double> p(64, 1);
            player.agent->propensities(
                observe(*batch_, std::as_const(sessions).view()),
                Mode::explore,
                std::as_const(slates).view(),
                p.view()
            );
            logs.push_back(std::log(p(0, 0)));
        }
        return logs;
    }

    testing_support::TemporaryFolder folder_;
    std::unique_ptr<simulate::Environment> world_;
    std::unique_ptr<simulate::EnvironmentBatch> batch_;
};

// Every arm's probability is uniform between 0 and 1: after w wins and l losses a click has the
// odds (w + 1) / (l + 1), whoever chose what was shown.
TEST_F(LogLessons, what_it_learns_of_an_arm_is_the_posterior_of_its_clicks) {
    const auto log = write_log(20'000);
    learn(
        *batch_,
        {"log=" + log.string(),
         "session_length=6",
         "hidden=32",
         "learning_rate=0.003",
         "taught_batch=128"},
        32'000
    );

    // The arms are alike: the mean over who is who is what it knows of any of them.
    double won_twice = 0;
    double lost_once = 0;
    std::vector<std::uint32_t> arms{0, 1, 2};
    do {
        const auto p = log_probabilities({{arms[0], true}, {arms[1], false}, {arms[0], true}});
        won_twice += (p[arms[0]] - p[arms[2]]) / 6;
        lost_once += (p[arms[1]] - p[arms[2]]) / 6;
    } while (std::ranges::next_permutation(arms).found);
    EXPECT_NEAR(won_twice, std::log(3.0 / 1), 0.5);  // a short training: it is still cautious
    EXPECT_NEAR(lost_once, std::log(1.0 / 2), 0.35);
    for (const double p : log_probabilities({})) {
        EXPECT_NEAR(p, std::log(1.0 / n_arms), 0.2);
    }
}

TEST_F(LogLessons, a_log_of_another_world_is_refused_with_the_next_step) {
    const auto log = write_log(64);
    const auto other =
        simulate::make_world("bernoulli_bandit", settings_of({"arms=5", "step_limit=6"}));
    const auto batch = make_batch(*other, 64);
    try {
        learn(*batch, {"log=" + log.string(), "session_length=6"}, 640);
        FAIL() << "was not refused";
    } catch (const Error& error) {
        EXPECT_NE(
            error.message().find("1 numbers of a user and 3 of an item, this world shows 1 and 5"),
            std::string::npos
        ) << error.message();
        EXPECT_NE(error.hint().find("--log"), std::string::npos);
    }
}

TEST_F(LogLessons, a_teacher_and_a_log_at_once_are_refused) {
    EXPECT_THROW(
        learn(*batch_, {"log=some.jsonl", "teacher=bayes_optimal", "session_length=6"}, 640), Error
    );
}

// Two items that show the same numbers: only their own number tells them apart.
class ItemEmbedding : public testing::Test {
  protected:
    ItemEmbedding() { at::manual_seed(1); }

    [[nodiscard]] AgentNet net(std::int64_t item_embedding) const {
        return AgentNet{
            {.world = world_, .session_size = 2 * SessionTokens::token_size(world_), .rng = Rng{1}},
            {.encoder = "gru", .hidden = 8, .item_embedding = item_embedding}
        };
    }

    /// Of the items 1 and 2, after item `seen` was clicked.
    [[nodiscard]] at::Tensor scores(AgentNet& net, float seen) const {
        auto in = NetInput::zeros(1, world_, 2 * SessionTokens::token_size(world_));
        in.item_ids.copy_(at::tensor({1, 2}, at::kInt).view({1, 2}));
        in.sessions.copy_(at::tensor({0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0}).view({1, 12}));
        in.sessions[0][11] = seen;
        return net.forward(in).scores;
    }

    simulate::EnvironmentFacts world_{
        .n_candidates = 2, .user_size = 1, .item_size = 1, .n_items = 4
    };
};

TEST_F(ItemEmbedding, tells_apart_what_shows_the_same_numbers_on_offer_and_in_the_session) {
    const at::NoGradGuard no_grad;
    auto without = net(0);
    const auto same = scores(without, 1);
    EXPECT_EQ(same[0][0].item<float>(), same[0][1].item<float>());
    EXPECT_TRUE(at::equal(same, scores(without, 2)));

    auto with = net(4);
    const auto known = scores(with, 1);
    EXPECT_NE(known[0][0].item<float>(), known[0][1].item<float>());
    EXPECT_FALSE(at::equal(known, scores(with, 2)));
}

TEST_F(ItemEmbedding, an_item_of_another_world_and_items_that_do_not_last_are_refused) {
    auto with = net(4);
    EXPECT_THROW((void)scores(with, 4), Error);

    world_.n_items = 0;
    EXPECT_THROW((void)net(4), Error);
}

}  // namespace
}  // namespace hg::policy
