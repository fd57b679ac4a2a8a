// SPDX-License-Identifier: Apache-2.0
// The actor that chooses a server's knobs: learned by torch, served without it.
#include "core/file.hpp"
#include "core/sealed_json.hpp"
#include "policy/knob_actor.hpp"
#include "policy/learn.hpp"
#include "policy/two_kinds.hpp"
#include "policy/two_tastes.hpp"
#include "support/effort.hpp"
#include "support/flips.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace hg::policy {
namespace {

using testing::HasSubstr;

nlohmann::json world_facts() {
    return {
        {"name", "two kinds"},
        {"belief", {{"kind", "gaussian"}, {"summary", BeliefSummary::names}}},
    };
}

LearnResult learn_knobs(
    const simulate::Environment& world,
    const std::filesystem::path& folder,
    const std::string& outer = "ppo"
) {
    const auto batch = simulate::make_batch(world, 1);
    Settings settings;
    settings.set("head", "knobs");
    const bool is_searched = outer == "evolution";
    if (is_searched) {
        settings.set("knobs", "state");
    } else {
        settings.set("outer", outer);
        settings.set("learning_rate", "0.01");
    }
    SilentProgress silent;
    return learn_run(
        {.entry = find_agent(is_searched ? "evolution" : "meta_policy"),
         .agent_settings = settings,
         .options =
             {.steps = is_searched ? 400'000 : 40'000, .users = 64, .evaluate_every = 20'000},
         .world = *batch,
         .held_out = *batch,
         .world_facts = world_facts(),
         .folder = folder},
        silent,
        {}
    );
}

/// Learned once, in a few seconds, for all tests.
class KnobActorTest : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = std::make_unique<testing_support::TemporaryFolder>();
        result = learn_knobs(TwoKinds{}, *folder / "meta");
    }

    static void TearDownTestSuite() { folder.reset(); }

    static Knobs choose(const KnobActor& actor, float experience) {
        return actor.choose({.summary = BeliefSummary{{experience, .5F, .5F, .5F}}});
    }

    static inline std::unique_ptr<testing_support::TemporaryFolder> folder;
    static inline LearnResult result;
};

// Whoever knows the kind gets 10 of 10, one knob for everyone at most 5.7 (the better of score and
// uncertainty for half of the users, 1 in 8 of the rest; a mixture in between gets less of both).
TEST_F(KnobActorTest, learns_to_explore_for_newcomers_only) {
    const auto actor = KnobActor::load(*folder / "meta");

    EXPECT_GT(result.best_return, 7);
    EXPECT_GT(choose(*actor, 0).exploration, 1);
    EXPECT_LT(choose(*actor, 1).exploration, .5);
}

TEST_F(KnobActorTest, simpler_outer_loops_beat_every_constant_too) {
    for (const std::string outer : {"a2c", "reinforce"}) {
        EXPECT_GT(learn_knobs(TwoKinds{}, *folder / outer, outer).best_return, 6) << outer;
    }
}

TEST_F(KnobActorTest, trying_the_same_knobs_finds_them_without_a_gradient_and_can_be_served) {
    EXPECT_GT(learn_knobs(TwoKinds{}, *folder / "tried", "evolution").best_return, 6);

    const auto actor = KnobActor::load(*folder / "tried");
    EXPECT_GT(choose(*actor, 0).exploration, choose(*actor, 1).exploration + .5);
    EXPECT_EQ(actor->name().substr(0, 10), "evolution ");
}

/// The network in torch exploits the very order that the server makes of the actor's knobs.
TEST_F(KnobActorTest, serves_what_the_network_learned) {
    const auto actor = KnobActor::load(*folder / "meta");
    TwoKinds world;
    const auto loaded = load_agent((*folder / "meta").string(), world.facts(), {}, 1);
    Rng rng{4};
    int n_equal = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        world.reset(seed);
        const auto seen = world.observe();
        const Matrix<float> sessions(1, 0);
        const ObservationBatch batch{
            .users = {seen.user.data(), 1, 4},
            .items = seen.items,
            .item_ids = {seen.item_ids.data(), 1, 8},
            .states = {},
            .sessions = sessions.view(),
        };
        DecisionBatch decisions{1, 1};
        loaded.agent->act(batch, Mode::exploit, rng, decisions);
        // As in the world, scores and signals are in units of their deviation already.
        BeliefSummary summary;
        std::ranges::copy(seen.user, summary.values.begin());
        const auto knobs = actor->choose({.summary = summary});
        std::vector<double> scores;
        for (std::size_t i = 0; i < 8; ++i) {
            const auto item = seen.items.row(i);
            scores.push_back(
                item[0] + knobs.exploration * item[1] + knobs.novelty * item[2] +
                knobs.content * item[3]
            );
        }
        const auto best = std::ranges::max_element(scores) - scores.begin();
        n_equal += std::cmp_equal(decisions.slates(0, 0), best) ? 1 : 0;
    }

    EXPECT_GE(n_equal, 198) << "knobs are rounded to three digits: a near tie may turn";
}

// The row to beat: one exploration for both kinds of user earns no more than the better of the two
// (5 of 10 and 1 in 8 of the rest, 5.6); 640 steps have a standard error of .2.
TEST_F(KnobActorTest, beats_every_constant_where_users_differ) {
    const auto batch = simulate::make_batch(TwoKinds{}, 64);
    double best = 0;
    for (const auto* knob : {"0", "0.5", "1", "2", "5"}) {
        const auto constant =
            load_agent(std::string{"constant_knobs:exploration="} + knob, batch->facts(), {}, 1);
        best = std::max(best, play(*batch, *constant.agent, {.episodes = 64}).mean_return.value);
    }

    EXPECT_GT(best, 4);
    EXPECT_LT(best, 6.6);
    EXPECT_GT(result.best_return, best + 1);
}

// One diversity for everyone earns 15 of 20.
TEST_F(KnobActorTest, learns_to_be_diverse_for_those_who_like_it_only) {
    const auto result_of_slates = learn_knobs(TwoTastes{}, *folder / "slates");
    const auto actor = KnobActor::load(*folder / "slates");

    EXPECT_GT(result_of_slates.best_return, 17);
    EXPECT_GT(choose(*actor, 0).diversity, 1);
    EXPECT_LT(choose(*actor, 1).diversity, .3);
    EXPECT_EQ(choose(*KnobActor::load(*folder / "meta"), 0).diversity, 0) << "learned from items";
    const auto batch = simulate::make_batch(TwoTastes{}, 64);
    for (const auto* diversity : {"0", "0.3", "1", "2"}) {
        const auto constant =
            load_agent(std::string{"constant_knobs:diversity="} + diversity, batch->facts(), {}, 1);
        const auto earned = play(*batch, *constant.agent, {.episodes = 64}).mean_return.value;
        EXPECT_GT(result_of_slates.best_return, earned + 1) << diversity;
        EXPECT_NEAR(earned, 15, 1) << diversity;
    }
}

TEST_F(KnobActorTest, its_version_names_the_folder_and_the_weights) {
    const auto version = actor_version(*folder / "meta");
    const auto other = *folder / "other name+)";
    std::filesystem::create_directories(other);
    std::filesystem::copy(*folder / "meta", other, std::filesystem::copy_options::recursive);

    EXPECT_THAT(version, testing::MatchesRegex("meta@[0-9a-f]+"));
    EXPECT_EQ(KnobActor::load(*folder / "meta")->version(), version);
    EXPECT_THAT(actor_version(other), testing::MatchesRegex("other_name__@[0-9a-f]+"));
    EXPECT_EQ(actor_version(other).substr(13), version.substr(5));
}

TEST_F(KnobActorTest, a_flipped_bit_in_a_run_of_an_agent_is_found_or_harmless) {
    const auto damaged = *folder / "damaged";
    std::filesystem::copy(*folder / "meta", damaged, std::filesystem::copy_options::recursive);
    const auto world = simulate::make_batch(TwoKinds{}, 1)->facts();
    const auto read_manifest = [&] {
        return nlohmann::json::parse(value_or_throw(read_file(damaged / "manifest.json")));
    };
    const auto manifest = read_manifest();
    Rng rng{31};
    for (const auto* name : {"manifest.json", "weights.safetensors"}) {
        const auto whole = value_or_throw(read_file(damaged / name));
        for (std::size_t i = 0; i < testing_support::effort("HG_BIT_FLIPS", 100); ++i) {
            write_file_atomic(damaged / name, testing_support::with_a_flipped_bit(whole, rng));
            try {
                (void)load_agent(damaged.string(), world, {}, 1);
                auto found = read_manifest();
                for (const auto& [key, value] : manifest.items()) {
                    ASSERT_TRUE(key == seal_key || found[key] == value) << key;
                }
                ASSERT_STREQ(name, "manifest.json") << "spaces and line ends do no harm";
                (void)KnobActor::load(damaged);
            } catch (const Error& error) {
                ASSERT_FALSE(error.message().empty());
                ASSERT_THROW((void)KnobActor::load(damaged), Error) << name;
            }
        }
        write_file_atomic(damaged / name, whole);
    }
}

TEST_F(KnobActorTest, without_a_belief_it_is_greedy) {
    EXPECT_EQ(KnobActor::load(*folder / "meta")->choose({}), Knobs{});
}

TEST_F(KnobActorTest, another_kind_of_run_or_belief_is_refused_with_what_was_expected) {
    const auto original =
        nlohmann::json::parse(value_or_throw(read_file(*folder / "meta" / "manifest.json")));
    const auto message = [&](const nlohmann::json& manifest) {
        const auto changed = *folder / "changed";
        std::filesystem::create_directories(changed);
        std::filesystem::copy_file(
            *folder / "meta" / "weights.safetensors",
            changed / "weights.safetensors",
            std::filesystem::copy_options::overwrite_existing
        );
        auto unsealed = manifest;
        unsealed.erase(seal_key);
        write_file_atomic(changed / "manifest.json", unsealed.dump());
        try {
            (void)KnobActor::load(changed);
            return std::string{"accepted"};
        } catch (const Error& error) {
            return std::string{error.what()};
        }
    };
    auto model = original;
    model["kind"] = "model";
    auto ranker = original;
    ranker["settings"]["head"] = "belief";
    auto other = original;
    other["world"]["belief"]["summary"] = {"experience", "turn"};

    EXPECT_EQ(message(original), "accepted");
    EXPECT_THAT(message(model), HasSubstr("is no run of learn"));
    EXPECT_THAT(message(ranker), HasSubstr("head=belief"));
    EXPECT_THAT(
        message(other), HasSubstr("it saw (experience, turn), the server gives (experience,")
    );
    EXPECT_THAT(message(other), HasSubstr("honeyguide learn --agent meta_policy"));
}

TEST_F(KnobActorTest, a_world_without_signals_is_refused) {
    const simulate::EnvironmentFacts bare{
        .n_candidates = 5, .user_size = 1, .item_size = 16, .n_items = 5
    };
    Settings settings;
    settings.set("head", "knobs");
    try {
        (void)make_agent(
            find_agent("meta_policy"), {.world = bare, .session_size = 0, .rng = Rng{1}}, settings
        );
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("this world shows 16 and 1"));
        EXPECT_THAT(error.what(), HasSubstr("served:RUN"));
    }
}

// One dimension, prior variance 1, noise 1: an event on v = 1 leaves C = 1/2 and m = 1/2.
TEST(BeliefSummary, says_the_same_in_every_space) {
    const auto prior_of = [](float scale) {  // the same users, measured in other units
        return train::GaussianPrior{{
            .item_vectors = Matrix<float>(1, 1, {1 / scale}),
            .segments = {{"", {{0}, {scale * scale}}}},
            .noise_variance = 1,
            .forgetting = 0,
            .content_map = {},
        }};
    };
    for (const float scale : {1.0F, 3.0F}) {
        const auto prior = prior_of(scale);
        Belief belief{prior};
        EXPECT_THAT(summarise(belief).values, testing::ElementsAre(0, 0, 1, 0));
        adapt(prior, belief, ItemId{0}, 1);

        const auto after = summarise(belief).values;
        EXPECT_NEAR(after[0], std::log(2) / std::log(51), 1e-6);
        EXPECT_EQ(after[1], 1);
        EXPECT_NEAR(after[2], .5, 1e-6);
        EXPECT_NEAR(after[3], .5, 1e-6);
    }
}

}  // namespace
}  // namespace hg::policy
