// SPDX-License-Identifier: Apache-2.0
// sequential_rules against the formula of its header, counted pair by pair.
#include "core/safetensors.hpp"
#include "support/fit_model.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/model_entry.hpp"
#include "train/pair_memory.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <vector>

namespace hg::train {
namespace {

using testing_support::small_world;
using testing_support::SmallWorld;
using testing_support::TemporaryFolder;

std::unique_ptr<Recommender> fit(
    std::string_view model,
    const SmallWorld& world,
    const data::InteractionLog& log,
    std::initializer_list<std::string_view> assignments = {}
) {
    Settings settings;
    for (const auto assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return testing_support::fit_model(model, world.dataset, log, settings, 5);
}

std::vector<float> scores_of(const Recommender& model, const data::History& history) {
    Matrix<float> scores(1, model.n_items());
    model.score(std::array{history}, scores.view());
    return {scores.row(0).begin(), scores.row(0).end()};
}

data::History history_of(data::HistoryBuffer& buffer, std::initializer_list<std::uint32_t> items) {
    for (const auto item : items) {
        buffer.add(ItemId{item});
    }
    return buffer.view();
}

/// Users of these items in this order; a negative number is an item the user disliked.
data::InteractionLog log_of(const std::vector<std::vector<int>>& users, std::size_t n_items) {
    std::vector<data::Interaction> events;
    for (std::uint32_t user = 0; user < users.size(); ++user) {
        for (const int item : users[user]) {
            events.push_back({
                .user = UserId{user},
                .item = ItemId{static_cast<std::uint32_t>(std::abs(item))},
                .weight = item < 0 ? -1.0F : 1.0F,
                .time = static_cast<TimeMs>(events.size()),
            });
        }
    }
    return data::InteractionLog::from_events(std::move(events), users.size(), n_items);
}

struct Formula {
    std::size_t window;
    double fade;
    double decay;
    double shrink;
};

/// Every pair of a user's liked events, one by one.
std::vector<double> by_formula(
    const data::InteractionLog& log, const data::History& asked, const Formula& formula
) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> pairs;
    std::vector<double> sums(log.n_items());
    std::vector<double> popularity(log.n_items());
    double n_events = 0;
    for (const auto& history : log.histories()) {
        std::vector<std::uint32_t> liked;
        for (std::size_t i = 0; i < history.size(); ++i) {
            if (history.weight(i) > 0) {
                liked.push_back(history.items[i].value);
                popularity[liked.back()] += 1;
                n_events += 1;
            }
        }
        for (std::size_t a = 0; a < liked.size(); ++a) {
            for (std::size_t d = 1; d <= formula.window && a + d < liked.size(); ++d) {
                if (liked[a] != liked[a + d]) {
                    const double count = std::pow(static_cast<double>(d), -formula.fade);
                    pairs[{liked[a], liked[a + d]}] += count;
                    sums[liked[a]] += count;
                }
            }
        }
    }
    std::vector<double> scores(log.n_items());
    double weight = 1;
    for (std::size_t i = asked.size(); i-- > 0;) {
        if (asked.weight(i) <= 0) {
            continue;
        }
        const auto item = asked.items[i].value;
        for (std::uint32_t j = 0; j < scores.size(); ++j) {
            const auto found = pairs.find({item, j});
            const double n = found == pairs.end() ? 0 : found->second;
            scores[j] += weight * (n + formula.shrink * popularity[j] / n_events) /
                         (sums[item] + formula.shrink);
        }
        weight *= formula.decay;
    }
    return scores;
}

TEST(SequentialRules, scores_are_those_of_the_formula) {
    const auto world = small_world();
    const auto& log = world.dataset.log;
    const Formula formula{.window = 3, .fade = 0.5, .decay = 0.6, .shrink = 4};
    const auto model =
        fit("sequential_rules", world, log, {"window=3", "fade=0.5", "decay=0.6", "shrink=4"});

    for (const auto& history : log.histories()) {
        const auto expected = by_formula(log, history, formula);
        const auto scores = scores_of(*model, history);
        for (std::size_t j = 0; j < scores.size(); ++j) {
            ASSERT_NEAR(scores[j], expected[j], 1e-6) << "item " << j;
        }
    }
}

TEST(SequentialRules, a_rule_has_a_direction_and_ends_with_its_window) {
    const auto world = small_world({.n_users = 20, .n_items = 10});
    const auto log = log_of(std::vector(20, std::vector<int>{0, 1, 2, 3}), 10);
    const auto model = fit("sequential_rules", world, log, {"window=2"});
    data::HistoryBuffer buffer;

    const auto scores = scores_of(*model, history_of(buffer, {1}));

    EXPECT_GT(scores[2], scores[3]) << "the nearer counts more";
    EXPECT_GT(scores[3], scores[0]) << "what comes before is no consequence";
    data::HistoryBuffer other;
    const auto of_first = scores_of(*model, history_of(other, {0}));
    EXPECT_EQ(of_first[3], of_first[0]) << "the fourth is beyond the window";
}

TEST(SequentialRules, disliked_events_neither_lead_on_nor_are_led_to) {
    const auto world = small_world({.n_users = 20, .n_items = 10});
    const auto with = log_of(std::vector(20, std::vector<int>{1, -5, 2, 3}), 10);
    const auto without = log_of(std::vector(20, std::vector<int>{1, 2, 3}), 10);
    const auto a = fit("sequential_rules", world, with);
    const auto b = fit("sequential_rules", world, without);
    data::HistoryBuffer asked;
    asked.add(ItemId{1});
    asked.add({.item = ItemId{7}, .weight = -1.0F});
    data::HistoryBuffer plain;

    EXPECT_EQ(scores_of(*a, asked.view()), scores_of(*b, history_of(plain, {1})));
}

TEST(SequentialRules, of_each_item_the_strongest_rules_are_kept) {
    const auto world = small_world({.n_users = 30, .n_items = 10});
    std::vector<std::vector<int>> users(10, {0, 1});
    users.resize(16, {0, 2});
    users.resize(19, {0, 3});
    const auto log = log_of(users, 10);
    const auto model = fit("sequential_rules", world, log, {"rules=2"});
    data::HistoryBuffer buffer;

    const auto scores = scores_of(*model, history_of(buffer, {0}));

    EXPECT_GT(scores[1], scores[2]);
    EXPECT_GT(scores[2], scores[3]);
    EXPECT_NEAR(scores[3] / scores[0], 3.0 / 19.0, 1e-5) << "the third is left to popularity";
}

TEST(SequentialRules, more_rules_than_memory_holds_are_refused_with_advice) {
    try {
        check_pair_count({
            .model = "sequential_rules",
            .pairs = 1e6,
            .n_items = 5000,
            .limit_bytes = 1e6,
            .hint = "--set rules=100",
        });
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::exhausted);
        EXPECT_THAT(error.message(), testing::HasSubstr("sequential_rules: about 1e+06 pairs"));
        EXPECT_EQ(error.hint(), "--set rules=100");
    }
}

/// Names of the tensors of a saved model.
std::vector<std::string> tensors_of(const Recommender& model, const std::filesystem::path& path) {
    SafetensorsWriter writer;
    model.save(writer);
    writer.save(path);
    std::vector<std::string> names;
    const auto file = value_or_throw(SafetensorsFile::open(path));
    for (const auto& [name, tensor] : file.tensors()) {
        names.push_back(name);
    }
    return names;
}

TEST(BlendOfRules, leaves_out_what_knows_only_order_where_there_is_none_and_is_loaded_so) {
    auto world = small_world({.n_users = 120, .n_items = 20});
    const TemporaryFolder folder;
    const std::string_view rankers = R"(rankers=["popularity", "sequential_rules"])";
    Settings settings;
    settings.set_assignment(rankers);
    using testing::Contains;
    using testing::StartsWith;

    const auto ordered = fit("blend", world, world.dataset.log, {rankers});
    world.dataset.time_kind = data::TimeKind::none;
    const auto orderless = fit("blend", world, world.dataset.log, {rankers});

    const auto path = folder.path() / "blend.safetensors";
    EXPECT_THAT(tensors_of(*ordered, path), Contains(StartsWith("sequential_rules/")));
    EXPECT_THAT(tensors_of(*orderless, path), Not(Contains(StartsWith("sequential_rules/"))));
    const auto loaded =
        find_model("blend").load(value_or_throw(SafetensorsFile::open(path)), settings);
    const auto history = world.dataset.log.history(UserId{3});
    EXPECT_EQ(scores_of(*loaded, history), scores_of(*orderless, history));
}

}  // namespace
}  // namespace hg::train
