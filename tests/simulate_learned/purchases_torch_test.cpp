// SPDX-License-Identifier: Apache-2.0
// A world learned from a dataset in which cheap items are bought and dear ones only looked at.
#include "core/rng.hpp"
#include "simulate/learned/feedback_from_dataset.hpp"
#include "simulate/learned/fidelity.hpp"
#include "simulate/learned/fit_world.hpp"
#include "simulate/learned/learned_world.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <numeric>

namespace hg::simulate {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t n_users = 300;
constexpr std::uint32_t n_items = 48;
constexpr double cheap_chance = 0.9;  // P(purchase | click); even items are cheap
constexpr double dear_chance = 0.1;

data::Dataset shop() {
    data::Dataset data;
    data.name = "shop";
    data.hash = "shop";
    data.time_kind = data::TimeKind::order;
    data.repeats_count = true;
    data.event_types = {
        {.name = "view", .weight = 1}, {.name = "purchase", .weight = 4, .is_purchase = true}
    };
    data::Field price;
    price.name = "price";
    price.kind = data::FieldKind::number;
    price.present.assign(n_items, 1);
    for (std::uint32_t i = 0; i < n_items; ++i) {
        (void)data.items.intern(fmt::format("i{}", i));
        price.numbers.push_back(i % 2 == 0 ? 1.0F : 30.0F);
    }
    data.item_fields = data::Catalogue{n_items, {std::move(price)}};
    Rng rng{5};
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        (void)data.users.intern(fmt::format("u{}", u));
        for (int t = 0; t < 12; ++t) {
            const auto item = static_cast<std::uint32_t>(rng.below(n_items));
            const bool buys = rng.uniform() < (item % 2 == 0 ? cheap_chance : dear_chance);
            events.push_back({
                .user = {u},
                .item = {item},
                .type = EventTypeId{buys ? 1U : 0U},
                .weight = buys ? 4.0F : 1.0F,
                .time = t,
            });
        }
    }
    data.user_fields = data::Catalogue{n_users, {}};
    data.log = data::InteractionLog::from_events(std::move(events), n_users, n_items);
    return data;
}

WorldFitOptions small() {
    WorldFitOptions options;
    options.dim = 4;
    options.members.feature_members = 2;
    options.members.sequence_members = 1;
    options.members.hidden = 16;
    options.members.gru = 8;
    options.members.rank = 8;
    options.members.epochs = 15;
    options.members.batch_decisions = 128;
    return options;
}

/// The shop and the world learned from it; made once.
class LearnedShop : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        folder = fs::temp_directory_path() / fs::path{"hg_shop_" + std::to_string(::getpid())};
        fs::remove_all(folder);
        SilentProgress silent;
        table = feedback_from_dataset(shop(), small(), 3, silent, {});
        fit_world({.table = table, .options = small(), .seed = 3, .folder = folder}, silent, {});
    }

    static void TearDownTestSuite() { fs::remove_all(folder); }

    static fs::path folder;
    static FeedbackTable table;
};

fs::path LearnedShop::folder;
FeedbackTable LearnedShop::table;

TEST_F(LearnedShop, buys_what_the_shop_sold) {
    LearnedWorld world{load_world(folder).model, {.slate_size = 3}, {.event = 1, .purchase = 10}};
    ASSERT_TRUE(world.facts().has_purchases);
    std::array<double, 2> clicks{};  // cheap, dear
    std::array<double, 2> purchases{};
    Rng rng{1};
    for (std::uint64_t t = 0; t < 3000; ++t) {
        const std::array slate{
            static_cast<std::uint32_t>(3 * rng.below(3)),
            1U + 3 * static_cast<std::uint32_t>(rng.below(3)),
            2U
        };
        std::array<std::uint32_t, 3> ids{};
        std::ranges::transform(slate, ids.begin(), [&](auto place) {
            return world.observe().item_ids[place];
        });
        const auto step = world.step(slate);
        double reward = 0;
        for (std::size_t k = 0; k < slate.size(); ++k) {
            const auto& answer = step.responses[k];
            ASSERT_TRUE(answer.clicked || !answer.purchased);
            clicks.at(ids[k] % 2) += answer.clicked ? 1 : 0;
            purchases.at(ids[k] % 2) += answer.purchased ? 1 : 0;
            reward += (answer.clicked ? 1 : 0) + (answer.purchased ? 10 : 0);
        }
        ASSERT_DOUBLE_EQ(step.reward, reward);
        if (step.ended || step.truncated) {
            world.reset(t);
        }
    }
    // About 3,600 events of 48 items in the log: .05 for what the members err, .05 for the draws.
    ASSERT_GT(clicks[0], 300);
    ASSERT_GT(clicks[1], 300);
    EXPECT_NEAR(purchases[0] / clicks[0], cheap_chance, 0.1);
    EXPECT_NEAR(purchases[1] / clicks[1], dear_chance, 0.1);
}

TEST_F(LearnedShop, a_purchase_is_worth_what_dataset_toml_says) {
    LearnedWorld world{load_world(folder).model, {}, {}};
    for (int t = 0; t < 20; ++t) {
        const auto step = world.step(std::array{0U, 1U, 2U, 3U, 4U});
        const auto weight = [](double sum, const Response& r) {
            return sum + (r.purchased ? 4 : r.clicked ? 1 : 0);
        };
        const double worth =
            std::accumulate(step.responses.begin(), step.responses.end(), 0.0, weight);
        EXPECT_NEAR(step.reward, worth, 1e-9);
    }
}

TEST_F(LearnedShop, the_fidelity_report_judges_purchases_beside_means) {
    const auto fidelity = measure_fidelity(
        load_world(folder).model, table, split_of(table, small(), 3), {.episodes = 50}
    );
    const auto loss = [&](std::string_view response, std::string_view predictor) {
        const auto found = std::ranges::find_if(fidelity.chances, [&](const ChanceRow& row) {
            return row.response == response && row.predictor == predictor;
        });
        EXPECT_NE(found, fidelity.chances.end()) << response << ": " << predictor;
        return found == fidelity.chances.end() ? NAN : found->log_loss;
    };

    for (const auto* response : {"purchase", "purchase if clicked"}) {
        for (const auto* mean : {"base rate", "user mean"}) {
            EXPECT_LT(loss(response, "world"), loss(response, mean)) << response << ": " << mean;
        }
    }
    // -(.9 ln .9 + .1 ln .1) = .325 is the least there is.
    EXPECT_NEAR(loss("purchase if clicked", "world"), 0.325, 0.1);
    EXPECT_TRUE(std::isfinite(loss("purchase if clicked", "item mean")));
    EXPECT_THAT(fidelity.not_to_be_trusted_for, ::testing::Not(::testing::HasSubstr("purchases")));
}

}  // namespace
}  // namespace hg::simulate
