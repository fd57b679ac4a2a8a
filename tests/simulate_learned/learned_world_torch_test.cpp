// SPDX-License-Identifier: Apache-2.0
// A world learned from the log of a known one.
#include "core/file.hpp"
#include "simulate/environment_batch.hpp"
#include "simulate/learned/fit_world.hpp"
#include "simulate/learned/learned_world.hpp"
#include "simulate/learned/open_world.hpp"
#include "simulate/world_entry.hpp"
#include "simulate_learned/closed_loop.hpp"
#include "support/effort.hpp"
#include "support/flips.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t n_arms = 6;

/// Six items of click probabilities 0.1 .. 0.9 by task_seed 7.
Settings bandit_settings() {
    Settings settings;
    settings.set("arms", "6");
    settings.set("low", "0.1");
    settings.set("high", "0.9");
    settings.set("step_limit", "20");
    return settings;
}

WorldFitOptions small() {
    WorldFitOptions options;
    options.members.feature_members = 3;
    options.members.sequence_members = 2;
    options.members.hidden = 16;
    options.members.gru = 8;
    options.members.rank = 8;
    options.members.epochs = 12;
    options.members.batch_decisions = 128;
    options.reward_models = {"features", "rnn", "vae"};
    return options;
}

/// A bandit's log of 4,000 decisions of two slots' worth, and the world learned from it; made once.
class LearnedBandit : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = fs::temp_directory_path() / fs::path{"hg_learned_" + std::to_string(::getpid())};
        fs::remove_all(folder);
        const auto truth = make_world("bernoulli_bandit", bandit_settings());
        const auto table = feedback_from_log(testing_log(*truth), "bandit.jsonl", {});
        SilentProgress silent;
        fit_world(
            {.table = table, .options = small(), .seed = 3, .folder = folder / "world"}, silent, {}
        );
    }

    static void TearDownTestSuite() { fs::remove_all(folder); }

    static data::ImpressionLog testing_log(Environment& truth) { return random_log(truth, 4000); }

    static std::unique_ptr<Environment> open(const Settings& settings = {}) {
        return open_world((folder / "world").string(), settings);
    }

    static fs::path folder;
};

fs::path LearnedBandit::folder;

TEST_F(LearnedBandit, recovers_the_click_probabilities_of_the_world_that_was_logged) {
    const auto truth = make_world("bernoulli_bandit", bandit_settings());
    Settings mean;
    mean.set("member", "mean");
    const auto learned = open(mean);

    // About 530 clicks or passes an item: the standard error is below .022; the bound is 5 of them.
    for (std::uint32_t arm = 0; arm < n_arms; ++arm) {
        const std::array slate{arm};
        EXPECT_NEAR(
            learned->expected_reward(slate).value(), truth->expected_reward(slate).value(), 0.11
        ) << "item "
          << arm;
    }
}

TEST_F(LearnedBandit, same_seed_same_episode_and_another_seed_another) {
    const auto world = open();
    const auto play = [&](std::uint64_t seed) {
        world->reset(seed);
        std::vector<double> rewards;
        for (std::uint32_t t = 0; t < 20; ++t) {
            rewards.push_back(world->step(std::array{t % 6U}).reward);
        }
        return rewards;
    };

    EXPECT_EQ(play(5), play(5));
    EXPECT_NE(play(5), play(6));
}

TEST_F(LearnedBandit, a_batch_of_many_is_many_alone) {
    const auto batch = open_world_batch((folder / "world").string(), {}, 3);
    const auto alone = open_world_batch((folder / "world").string(), {}, 1);
    batch->reset(4);
    alone->reset(4);
    Matrix<std::uint32_t> slates(3, 1);
    for (std::uint32_t t = 0; t < 60; ++t) {
        slates(0, 0) = t % 6U;
        slates(1, 0) = (t + 1) % 6U;
        slates(2, 0) = (t + 2) % 6U;
        batch->step(slates.view());
        alone->step(slates.view().rows_slice(0, 1));
        ASSERT_EQ(batch->rewards()[0], alone->rewards()[0]);
        ASSERT_TRUE(std::ranges::equal(batch->users().row(0), alone->users().row(0)));
    }
}

TEST_F(LearnedBandit, a_clone_has_the_same_future) {
    const auto world = open();
    world->reset(9);
    (void)world->step(std::array{0U});
    const auto clone = world->clone();

    for (std::uint32_t t = 0; t < 10; ++t) {
        ASSERT_EQ(world->step(std::array{t % 6U}).reward, clone->step(std::array{t % 6U}).reward);
    }
}

TEST_F(LearnedBandit, members_disagree_where_nothing_was_logged) {
    const auto loaded = load_world(folder / "world");
    auto strange = *loaded.model;  // the same users, items the log never had
    for (std::size_t i = 0; i < strange.item_rows.rows(); ++i) {
        for (float& x : strange.scaled_items.row(i)) {
            x = -6 * x + 5;
        }
    }
    for (std::size_t m = 0; m < strange.members.size(); ++m) {
        strange.item_vectors[m] =
            item_vectors(strange.members[m], strange.facts.shape, strange.scaled_items.view());
    }
    LearnedWorldOptions mean;
    mean.member = "mean";
    const LearnedWorld known{loaded.model, mean, {}};
    const LearnedWorld unknown{std::make_shared<const WorldModel>(std::move(strange)), mean, {}};

    double on = 0;
    double off = 0;
    for (std::uint32_t arm = 0; arm < n_arms; ++arm) {
        on += known.forecast(std::array{arm}).disagreement;
        off += unknown.forecast(std::array{arm}).disagreement;
    }
    EXPECT_GT(off, 2 * on);
}

TEST_F(LearnedBandit, disagreement_is_charged_or_shown_as_asked) {
    Settings settings;
    settings.set("member", "mean");
    const auto free = open(settings);
    settings.set("uncertainty_penalty", "2");
    settings.set("show_uncertainty", "true");
    const auto charged = open(settings);
    const auto& world = dynamic_cast<const LearnedWorld&>(*free);

    const std::array slate{1U};
    const double disagreement = world.forecast(slate).disagreement;
    EXPECT_GT(disagreement, 0);
    EXPECT_NEAR(
        charged->expected_reward(slate).value(),
        free->expected_reward(slate).value() - 2 * disagreement,
        1e-9
    );
    EXPECT_EQ(charged->facts().item_size, free->facts().item_size + 1);
    EXPECT_GT(charged->observe().items(1, n_arms), 0);
}

TEST_F(LearnedBandit, a_family_can_be_left_out) {
    Settings settings;
    settings.set("family", "sequence");
    const auto world = open(settings);
    std::set<std::string> members;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        world->reset(seed);
        const auto state = world->describe_state();
        members.insert(state.substr(state.find("member="), 8));
    }

    EXPECT_EQ(members, (std::set<std::string>{"member=3", "member=4"}));
}

TEST_F(LearnedBandit, rewards_follow_the_formula_of_the_settings) {
    Settings settings;
    settings.set("reward.event", "2");
    settings.set("reward.survival", "0.5");
    const auto world = open(settings);
    world->reset(1);
    for (int t = 0; t < 10; ++t) {
        const auto step = world->step(std::array{0U});
        EXPECT_DOUBLE_EQ(step.reward, (step.responses[0].clicked ? 2.0 : 0.0) + 0.5);
    }
}

TEST_F(LearnedBandit, learned_rewards_know_that_a_click_is_worth_one) {
    for (const auto* kind : {"features", "rnn", "vae"}) {
        Settings settings;
        settings.set("reward_model", kind);
        const auto world = open(settings);
        world->reset(1);
        double off = 0;
        for (std::uint32_t t = 0; t < 20; ++t) {
            const auto step = world->step(std::array{t % 6U});
            off += std::abs(step.reward - (step.responses[0].clicked ? 1.0 : 0.0)) / 20;
        }
        EXPECT_LT(off, 0.1) << kind;
    }
}

TEST_F(LearnedBandit, stays_within_its_declared_bounds) {
    Settings settings;
    settings.set("uncertainty_penalty", "1");
    settings.set("show_uncertainty", "true");
    const auto world = open(settings);
    const auto& facts = world->facts();
    world->reset(1);
    Rng rng{2};
    for (std::uint64_t t = 1; t < 1000; ++t) {
        const auto seen = world->observe();
        for (const float x : seen.user) {
            ASSERT_GE(x, facts.user_low);
            ASSERT_LE(x, facts.user_high);
        }
        for (std::size_t i = 0; i < facts.n_candidates; ++i) {
            for (const float x : seen.items.row(i)) {
                ASSERT_GE(x, facts.item_low);
                ASSERT_LE(x, facts.item_high);
            }
            ASSERT_TRUE(facts.n_items == 0 || seen.item_ids[i] < facts.n_items);
        }
        const auto step = world->step(std::array{static_cast<std::uint32_t>(rng.below(6))});
        ASSERT_GE(step.reward, facts.reward_low);
        ASSERT_LE(step.reward, facts.reward_high);
        if (step.ended || step.truncated) {
            world->reset(t);
        }
    }
}

TEST_F(LearnedBandit, facts_written_before_purchases_were_learned_are_read) {
    auto json = to_json(load_world(folder / "world").model->facts);
    for (const auto* later :
         {"session_rule", "has_purchases", "click_weight", "purchase_weight", "reward_purchase"}) {
        ASSERT_EQ(json.erase(later), 1U) << later;
    }

    const auto facts = parse_world_facts(json);

    EXPECT_FALSE(facts.shape.has_purchases);
    EXPECT_EQ(facts.reward_purchase, 0);
}

TEST_F(LearnedBandit, a_flipped_bit_in_a_world_is_found_or_harmless) {
    const auto damaged = folder / "damaged";
    fs::copy(folder / "world", damaged, fs::copy_options::recursive);
    const auto facts = to_json(load_world(damaged).model->facts);
    Rng rng{37};
    for (const auto* name : {"manifest.json", "weights.safetensors"}) {
        const auto whole = value_or_throw(read_file(damaged / name));
        for (std::size_t i = 0; i < testing_support::effort("HG_BIT_FLIPS", 50); ++i) {
            write_file_atomic(damaged / name, testing_support::with_a_flipped_bit(whole, rng));
            try {
                const auto found = load_world(damaged);
                ASSERT_STREQ(name, "manifest.json") << "spaces and line ends do no harm";
                ASSERT_EQ(to_json(found.model->facts), facts);
            } catch (const Error& error) {
                ASSERT_FALSE(error.message().empty());
            }
        }
        write_file_atomic(damaged / name, whole);
    }
}

TEST_F(LearnedBandit, a_finished_world_is_not_fitted_over) {
    const auto truth = make_world("bernoulli_bandit", bandit_settings());
    const auto table = feedback_from_log(testing_log(*truth), "bandit.jsonl", {});
    SilentProgress silent;

    EXPECT_THROW(fit_world({.table = table, .folder = folder / "world"}, silent, {}), Error);
}

std::string refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "not refused";
}

TEST(LearnedWorlds, a_log_without_features_is_refused) {
    const auto truth = make_world("bernoulli_bandit", bandit_settings());
    const auto log = random_log(*truth, 10, /*features=*/false);

    EXPECT_THAT(
        refusal([&] { (void)feedback_from_log(log, "a.jsonl", {}); }),
        HasSubstr("a.jsonl: a log without candidate_features")
    );
}

TEST(LearnedWorlds, a_world_in_which_nothing_is_clicked_is_refused) {
    auto settings = bandit_settings();
    settings.set("low", "0");
    settings.set("high", "0");
    const auto truth = make_world("bernoulli_bandit", settings);
    const auto table = feedback_from_log(random_log(*truth, 200), "a.jsonl", {});

    EXPECT_THAT(refusal([&] { check_feedback(table); }), HasSubstr("nothing was ever clicked"));
}

TEST(LearnedWorlds, a_folder_that_is_no_world_is_refused) {
    const auto folder =
        fs::temp_directory_path() / fs::path{"hg_no_world_" + std::to_string(::getpid())};
    fs::create_directories(folder);
    EXPECT_THAT(
        refusal([&] { (void)open_world(folder.string(), {}); }), HasSubstr("manifest.json")
    );
    write_file_atomic(folder / "manifest.json", R"({"format_version":1,"model":"ease"})");
    EXPECT_THAT(
        refusal([&] { (void)open_world(folder.string(), {}); }), HasSubstr("not one of a world")
    );
    fs::remove_all(folder);
}

TEST(LearnedWorlds, a_mistyped_name_is_answered_with_the_known_ones) {
    EXPECT_THAT(
        refusal([] { (void)open_world("interest_evolutoin", {}); }), HasSubstr("interest_evolution")
    );
}

}  // namespace
}  // namespace hg::simulate
