// SPDX-License-Identifier: Apache-2.0
// Protocols on a small synthetic dataset where the right answers are known.
#include "app/protocol.hpp"

#include "app/evaluation.hpp"
#include "app/protocol_run.hpp"
#include "app/protocol_support.hpp"
#include "core/error.hpp"
#include "core/top_k.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

namespace hg::app {
namespace {

using hg::testing_support::small_world;
using hg::testing_support::SmallWorld;
using testing_support::Parrot;
using testing_support::run_of;
using testing_support::score;

/// Knows the whole log: scores what follows a history in it. What a perfect model would answer.
class Oracle final : public train::Recommender {
  public:
    explicit Oracle(const data::InteractionLog& log) : log_(log) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            std::ranges::fill(out.row(row), 0.0F);
            for (const auto& full : log_.histories()) {
                if (!is_prefix(histories[row], full)) {
                    continue;
                }
                for (std::size_t i = histories[row].size(); i < full.size(); ++i) {
                    out(row, full.items[i].index()) = 1000.0F - static_cast<float>(i);
                }
                break;
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return log_.n_items(); }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    static bool is_prefix(const data::History& head, const data::History& full) {
        return head.size() <= full.size() &&
               std::ranges::equal(head.items, full.items.first(head.size()));
    }

    data::InteractionLog log_;
};

constexpr std::array kinds{
    ProtocolKind::leave_one_out, ProtocolKind::ratio, ProtocolKind::time, ProtocolKind::few_shot
};

ProtocolOptions small(ProtocolKind kind, Part part = Part::test) {
    return {.kind = kind, .part = part, .folds = 3, .contexts = {0, 1, 3}, .max_targets = 4};
}

class EveryProtocol : public testing::TestWithParam<ProtocolKind> {};

INSTANTIATE_TEST_SUITE_P(Protocols, EveryProtocol, testing::ValuesIn(kinds), [](const auto& info) {
    std::string name{to_string(info.param)};
    std::ranges::replace(name, '-', '_');
    return name;
});

TEST_P(EveryProtocol, no_answer_is_in_the_training_log_or_in_the_history) {
    const SmallWorld world = small_world();
    for (const auto part : {Part::test, Part::validation}) {
        const auto protocol = make_protocol(world.dataset, small(GetParam(), part));
        for (const auto& trial : protocol.trials) {
            for (const auto& query : trial.queries) {
                ASSERT_FALSE(query.targets.empty());
                const auto trained = trial.train.history(query.user).items;
                for (const auto target : query.targets) {
                    EXPECT_EQ(std::ranges::find(trained, target), trained.end());
                    EXPECT_EQ(
                        std::ranges::find(query.history.items, target), query.history.items.end()
                    );
                }
            }
        }
    }
}

TEST(Protocol, the_validation_part_neither_asks_nor_learns_what_the_test_part_asks) {
    const SmallWorld world = small_world();
    for (const auto kind : {ProtocolKind::leave_one_out, ProtocolKind::ratio, ProtocolKind::time}) {
        const auto test = make_protocol(world.dataset, small(kind));
        const auto validation = make_protocol(world.dataset, small(kind, Part::validation));
        std::set<std::pair<std::uint32_t, std::uint32_t>> asked;
        for (const auto& query : test.trials[0].queries) {
            for (const auto target : query.targets) {
                asked.emplace(query.user.value, target.value);
            }
        }

        for (const auto& query : validation.trials[0].queries) {
            for (const auto target : query.targets) {
                EXPECT_FALSE(asked.contains({query.user.value, target.value}));
            }
            for (const auto item : validation.trials[0].train.history(query.user).items) {
                EXPECT_FALSE(asked.contains({query.user.value, item.value}));
            }
        }
    }
}

TEST_P(EveryProtocol, the_same_seed_asks_the_same_and_some_users_are_a_subset) {
    const SmallWorld world = small_world();
    auto options = small(GetParam());
    const auto first = make_protocol(world.dataset, options);
    const auto again = make_protocol(world.dataset, options);
    options.max_users = 7;
    const auto some = make_protocol(world.dataset, options);

    ASSERT_EQ(first.n_queries(), again.n_queries());
    for (std::size_t t = 0; t < first.trials.size(); ++t) {
        for (std::size_t q = 0; q < first.trials[t].queries.size(); ++q) {
            EXPECT_EQ(first.trials[t].queries[q].targets, again.trials[t].queries[q].targets);
        }
    }
    std::set<std::uint32_t> users;
    for (const auto& trial : some.trials) {
        for (const auto& query : trial.queries) {
            users.insert(query.user.value);
        }
    }
    EXPECT_EQ(users.size(), 7U);
}

TEST_P(EveryProtocol, registered_models_are_fitted_and_scored_with_values_in_range) {
    const SmallWorld world = small_world();
    const auto protocol = make_protocol(world.dataset, small(GetParam()));
    SilentProgress silent;
    const std::vector<Contender> contenders{
        {.name = "popularity", .entry = &train::find_model("popularity"), .settings = {}}
    };

    const auto outcomes = run_protocol(world.dataset, protocol, contenders, {.k = 5}, {silent, {}});
    const auto evaluation = summarise(world.dataset, protocol, outcomes, {.k = 5});

    const auto& row = evaluation.rows.at(0);
    EXPECT_GT(row.ndcg, 0);
    EXPECT_LT(row.ndcg, 1);
    EXPECT_GT(row.coverage, 0);
    EXPECT_LE(row.coverage, 1);
    EXPECT_EQ(evaluation.baseline, "popularity");
    EXPECT_EQ(outcomes[0].lists.size(), protocol.n_queries());
}

TEST(Protocol, several_orders_ask_the_same_users_of_the_same_folds_for_other_items) {
    SmallWorld world = small_world();
    world.dataset.time_kind = data::TimeKind::none;
    auto options = small(ProtocolKind::few_shot);
    const auto once = make_protocol(world.dataset, options);
    options.orders = 3;

    const auto thrice = make_protocol(world.dataset, options);

    ASSERT_EQ(thrice.n_queries(), 3 * once.n_queries());
    std::size_t n_moved = 0;
    for (std::size_t t = 0; t < once.trials.size(); ++t) {
        const auto& first = once.trials[t].queries;
        const auto& all = thrice.trials[t].queries;
        for (std::size_t q = 0; q < all.size(); ++q) {
            const auto& same = first[q % first.size()];
            EXPECT_EQ(all[q].order, q / first.size());
            EXPECT_EQ(all[q].user, same.user);
            EXPECT_EQ(all[q].context, same.context);
            n_moved += all[q].targets != same.targets ? 1 : 0;
            EXPECT_TRUE(thrice.trials[t].train.history(all[q].user).empty());
            const auto whole = world.dataset.log.history(all[q].user).items;
            for (const auto target : all[q].targets) {
                EXPECT_NE(std::ranges::find(whole, target), whole.end());
            }
            if (all[q].order == 0) {
                EXPECT_EQ(all[q].targets, same.targets) << "the first order is the file's";
            }
        }
    }
    EXPECT_GT(n_moved, once.n_queries());
}

TEST(Protocol, an_order_that_means_something_is_not_shuffled) {
    const SmallWorld world = small_world();
    auto options = small(ProtocolKind::few_shot);
    options.orders = 2;

    EXPECT_THROW((void)make_protocol(world.dataset, options), Error);
}

TEST(Protocol, a_challenger_is_compared_with_the_best_other_row_at_each_context) {
    const SmallWorld world = small_world();
    const auto protocol = make_protocol(world.dataset, small(ProtocolKind::few_shot));
    SilentProgress silent;
    const std::vector<Contender> contenders{
        {.name = "random", .entry = &train::find_model("random"), .settings = {}},
        {.name = "popularity", .entry = &train::find_model("popularity"), .settings = {}},
        {.name = "item_knn", .entry = &train::find_model("item_knn"), .settings = {}},
    };
    const auto outcomes = run_protocol(world.dataset, protocol, contenders, {.k = 5}, {silent, {}});

    const auto evaluation =
        summarise(world.dataset, protocol, outcomes, {.k = 5, .challenger = "popularity"});

    ASSERT_EQ(evaluation.against_best.size(), protocol.contexts.size());
    double smallest_p = 1;
    for (std::size_t i = 0; i < evaluation.against_best.size(); ++i) {
        const auto& point = evaluation.against_best[i];
        const auto best_other = std::max(evaluation.rows[0].curve[i], evaluation.rows[2].curve[i]);
        EXPECT_EQ(point.context, protocol.contexts[i]);
        EXPECT_NEAR(point.difference.mean, evaluation.rows[1].curve[i] - best_other, 1e-12);
        EXPECT_NE(point.best, "popularity");
        EXPECT_GE(point.p_holm, point.difference.p_value);
        smallest_p = std::min(smallest_p, point.difference.p_value);
    }
    const auto corrected = std::ranges::min(evaluation.against_best, {}, &AgainstBest::p_holm);
    EXPECT_NEAR(corrected.p_holm, std::min(1.0, 3 * smallest_p), 1e-12);
}

TEST(Protocol, a_model_that_knows_the_future_scores_one) {
    const SmallWorld world = small_world();
    const auto run = run_of(world.dataset, std::make_shared<Oracle>(world.dataset.log));
    for (const auto kind : {ProtocolKind::leave_one_out, ProtocolKind::time}) {
        const auto protocol = make_protocol(world.dataset, small(kind));

        const auto outcomes = score(world.dataset, protocol, run);

        const bool is_time = kind == ProtocolKind::time;
        for (std::size_t i = 0; i < protocol.n_queries(); ++i) {
            // A user whose history is empty before the cut has no prefix of its own.
            if (is_time && protocol.trials[0].queries[i].history.empty()) {
                continue;
            }
            EXPECT_DOUBLE_EQ(outcomes[0].accuracy.ndcg[i], 1);
            EXPECT_DOUBLE_EQ(outcomes[0].accuracy.reciprocal_rank[i], 1);
        }
    }
}

TEST(Protocol, an_item_of_the_history_is_never_in_a_list) {
    const SmallWorld world = small_world();
    const auto run = run_of(world.dataset, std::make_shared<Parrot>(world.dataset.items.size()));
    const auto protocol = make_protocol(world.dataset, small(ProtocolKind::leave_one_out));

    const auto outcomes = score(world.dataset, protocol, run, 40);

    for (std::size_t i = 0; i < protocol.n_queries(); ++i) {
        const auto& query = protocol.trials[0].queries[i];
        const auto& list = outcomes[0].lists[i];
        EXPECT_EQ(list.size(), world.dataset.items.size() - query.history.size());
        for (const auto item : query.history.items) {
            EXPECT_EQ(std::ranges::find(list, item), list.end());
        }
    }
}

data::Dataset repeating_dataset() {
    data::Dataset dataset;
    dataset.name = "repeats";
    dataset.event_types = {{.name = "purchase"}};
    for (const auto* item : {"milk", "bread", "eggs"}) {
        dataset.items.intern(item);
    }
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < 4; ++u) {
        dataset.users.intern("u" + std::to_string(u));
        for (const std::uint32_t item : {0U, 1U, 0U}) {
            events.push_back({.user = {u}, .item = {item}});
        }
    }
    dataset.log = data::InteractionLog::from_events(events, 4, 3);
    return dataset;
}

TEST(Protocol, repeats_are_targets_only_where_the_history_is_not_masked) {
    auto dataset = repeating_dataset();
    const ProtocolOptions masked{.repeats = Repeats::mask};

    EXPECT_THROW((void)make_protocol(dataset, masked), Error);

    const auto allowed = make_protocol(dataset, {.repeats = Repeats::allow});
    EXPECT_EQ(allowed.n_queries(), 4U);
    EXPECT_FALSE(allowed.masks_history);
    const auto run = run_of(dataset, std::make_shared<Oracle>(dataset.log));
    EXPECT_DOUBLE_EQ(score(dataset, allowed, run)[0].accuracy.ndcg[0], 1);

    dataset.repeats_count = true;
    EXPECT_FALSE(make_protocol(dataset, {}).masks_history);
}

TEST(Protocol, dislikes_are_history_but_never_targets) {
    auto dataset = repeating_dataset();
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < 4; ++u) {
        events.push_back({.user = {u}, .item = {0}});
        events.push_back({.user = {u}, .item = {1}});
        events.push_back({.user = {u}, .item = {2}, .weight = -1.0F});
    }
    dataset.log = data::InteractionLog::from_events(events, 4, 3);

    const auto protocol = make_protocol(dataset, {});

    for (const auto& query : protocol.trials[0].queries) {
        EXPECT_THAT(query.targets, testing::ElementsAre(ItemId{1}));
    }
}

TEST(Protocol, a_time_split_without_real_time_is_refused_with_a_way_out) {
    auto world = small_world();
    world.dataset.time_kind = data::TimeKind::order;
    try {
        (void)make_protocol(world.dataset, small(ProtocolKind::time));
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("leave-one-out"));
    }
}

TEST(Protocol, few_shot_asks_each_user_once_per_context_and_never_trains_on_them) {
    const SmallWorld world = small_world();
    const auto protocol = make_protocol(world.dataset, small(ProtocolKind::few_shot));

    std::map<std::uint32_t, std::size_t> asked;
    for (const auto& trial : protocol.trials) {
        for (const auto& query : trial.queries) {
            ++asked[query.user.value];
            EXPECT_EQ(query.history.size(), query.context);
            EXPECT_TRUE(trial.train.history(query.user).empty());
        }
    }
    EXPECT_EQ(asked.size(), world.dataset.users.size());
    for (const auto& [user, times] : asked) {
        EXPECT_EQ(times, 3U);
    }
}

TEST(Protocol, an_unknown_name_is_refused_with_the_known_ones) {
    try {
        (void)parse_protocol("leave-one-in");
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("leave-one-out"));
    }
}

TEST(ProtocolFile, queries_are_asked_at_every_context_length) {
    const SmallWorld world = small_world();
    const hg::testing_support::TemporaryFolder folder;
    std::ofstream{folder / "q.jsonl"}
        << R"({"user_id": "a", "context": ["item0", "item4"], "targets": ["item8"]})"
        << "\n"
        << R"({"user_id": 7, "context": ["item1"], "targets": ["nowhere"]})" << "\n";

    const auto protocol = read_protocol(world.dataset, folder / "q.jsonl", {.contexts = {0, 1, 2}});

    ASSERT_EQ(protocol.n_queries(), 3U);
    EXPECT_EQ(protocol.trials[0].queries[2].history.size(), 2U);
    EXPECT_THAT(
        protocol.notes, testing::Contains(testing::HasSubstr("1 targets are not in the dataset"))
    );
}

TEST(ProtocolFile, a_bad_line_is_named) {
    const SmallWorld world = small_world();
    const hg::testing_support::TemporaryFolder folder;
    std::ofstream{folder / "q.jsonl"}
        << "{\"context\": [], \"targets\": [\"item1\"]}\n{\"context\": 3}\n";
    try {
        (void)read_protocol(world.dataset, folder / "q.jsonl", {});
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("q.jsonl:2"));
    }
}

TEST(Sampled, metrics_against_few_negatives_are_labelled_and_larger) {
    const SmallWorld world = small_world();
    const auto protocol = make_protocol(world.dataset, {});
    SilentProgress silent;
    const std::vector<Contender> contenders{
        {.name = "popularity", .entry = &train::find_model("popularity"), .settings = {}}
    };
    const auto full = run_protocol(world.dataset, protocol, contenders, {.k = 5}, {silent, {}});
    const auto sampled = run_protocol(
        world.dataset, protocol, contenders, {.k = 5, .sampled_negatives = 8}, {silent, {}}
    );

    const auto a = summarise(world.dataset, protocol, full, {.k = 5});
    const auto b = summarise(world.dataset, protocol, sampled, {.k = 5, .sampled_negatives = 8});

    EXPECT_GT(b.rows[0].hit, a.rows[0].hit);
    EXPECT_THAT(b.ranking, testing::HasSubstr("SAMPLED"));
    EXPECT_THAT(a.ranking, testing::HasSubstr("full ranking"));
}

}  // namespace
}  // namespace hg::app
