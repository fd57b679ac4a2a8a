// SPDX-License-Identifier: Apache-2.0
// Protocols with runs and with items nobody trained on: names, new items, other catalogues.
#include "app/evaluation.hpp"
#include "app/protocol.hpp"
#include "app/protocol_run.hpp"
#include "app/protocol_support.hpp"
#include "core/error.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace hg::app {
namespace {

using hg::testing_support::small_world;
using hg::testing_support::SmallWorld;
using testing_support::Parrot;
using testing_support::run_of;
using testing_support::score;

TEST(Runs, a_run_trained_on_the_whole_dataset_is_called_out) {
    const SmallWorld world = small_world();
    const auto run = run_of(world.dataset, std::make_shared<Parrot>(world.dataset.items.size()));

    const auto outcomes = score(world.dataset, make_protocol(world.dataset, {}), run);

    EXPECT_THAT(outcomes[0].warnings, testing::Contains(testing::HasSubstr("seen the answers")));
}

/// Sees the training bar of sasrec, and asks to stop when it reaches a number.
class Watching final : public ProgressSink {
  public:
    explicit Watching(std::optional<std::size_t> stop_at = {}) : stop_at_(stop_at) {}

    void show(const State& state) override {
        if (state.label != "sasrec" || state.finished) {
            return;
        }
        if (state.done > 0) {
            first = first.value_or(state.done);
        }
        if (state.done == stop_at_) {
            source.request_stop();
        }
    }

    std::optional<std::size_t> first;  // above 0 that was shown
    std::stop_source source;

  private:
    std::optional<std::size_t> stop_at_;
};

class KeptFits : public testing::Test {
  protected:
    KeptFits() {
        for (const auto* option : {"dim=8", "epochs=3", "max_length=8", "batch_size=8"}) {
            contender_.settings.set_assignment(option);
        }
    }

    std::vector<Outcome> play(const data::Dataset& dataset, Watching& sink, bool is_kept = true) {
        return run_protocol(
            dataset,
            make_protocol(dataset, {}),
            {&contender_, 1},
            {.work_folder = is_kept ? folder_.path() : std::filesystem::path{}},
            {sink, sink.source.get_token()}
        );
    }

    SmallWorld world_ = small_world();
    hg::testing_support::TemporaryFolder folder_;
    Contender contender_{.name = "mine/1", .entry = &train::find_model("sasrec")};
};

TEST_F(KeptFits, one_that_was_stopped_goes_on_and_answers_as_if_never_stopped) {
    Watching whole;
    const auto expected = play(world_.dataset, whole, false);
    Watching stopped{4};
    EXPECT_THROW((void)play(world_.dataset, stopped), Error);

    Watching resumed;
    const auto outcomes = play(world_.dataset, resumed);

    EXPECT_EQ(resumed.first, 4U) << "batches that were done before";
    EXPECT_EQ(outcomes[0].lists, expected[0].lists);
    EXPECT_EQ(outcomes[0].accuracy.ndcg, expected[0].accuracy.ndcg);
}

TEST_F(KeptFits, one_that_was_finished_is_loaded_unless_its_data_or_settings_changed) {
    Watching first;
    const auto expected = play(world_.dataset, first);

    Watching again;
    const auto outcomes = play(world_.dataset, again);
    EXPECT_FALSE(again.first) << "nothing is learned";
    EXPECT_EQ(outcomes[0].lists, expected[0].lists);
    EXPECT_GT(outcomes[0].fit_seconds, 0);

    const auto other = small_world({.seed = 12});  // as many events
    ASSERT_EQ(other.dataset.log.size(), world_.dataset.log.size());
    Watching elsewhere;
    (void)play(other.dataset, elsewhere);
    EXPECT_TRUE(elsewhere.first);

    contender_.settings.set_assignment("dim=4");
    Watching changed;
    (void)play(world_.dataset, changed);
    EXPECT_TRUE(changed.first);
}

/// Score = place in the run's own item order, so that a wrong mapping shows.
class Counting final : public train::Recommender {
  public:
    explicit Counting(std::size_t n_items) : n_items_(n_items) {}

    void score(std::span<const data::History> histories, MatrixView<float> out) const override {
        for (std::size_t row = 0; row < histories.size(); ++row) {
            for (std::size_t i = 0; i < n_items_; ++i) {
                out(row, i) = static_cast<float>(i);
            }
        }
    }

    [[nodiscard]] std::size_t n_items() const override { return n_items_; }

    void save(SafetensorsWriter& /*weights*/) const override {}

  private:
    std::size_t n_items_;
};

TEST(Runs, rows_of_a_run_are_matched_by_item_id_and_unknown_items_are_never_shown) {
    const SmallWorld world = small_world();
    train::LoadedRun run;
    run.name = "run";
    run.manifest = nlohmann::json::object();
    for (const auto* name : {"item9", "item3", "elsewhere"}) {
        run.items.intern(name);
    }
    run.model = std::make_shared<Counting>(3);

    const auto protocol = make_protocol(world.dataset, {});
    const auto outcomes = score(world.dataset, protocol, run);

    for (std::size_t i = 0; i < protocol.n_queries(); ++i) {
        const auto seen = protocol.trials[0].queries[i].history.items;
        evaluate::ItemList expected;
        for (const std::uint32_t item : {3U, 9U}) {
            if (std::ranges::find(seen, ItemId{item}) == seen.end()) {
                expected.push_back(ItemId{item});
            }
        }
        EXPECT_EQ(outcomes[0].lists[i], expected);
    }
    EXPECT_THAT(
        outcomes[0].warnings, testing::Contains(testing::HasSubstr("does not know 38 items"))
    );
}

/// A small world with the year of each item: one in four items is of the last year.
SmallWorld world_with_years() {
    auto world = small_world({.n_users = 120, .n_items = 48});
    data::Field year{.name = "year", .kind = data::FieldKind::number};
    for (std::size_t i = 0; i < 48; ++i) {
        year.present.push_back(1);
        year.numbers.push_back(i / 4 % 4 == 3 ? 2000.0F : 1990.0F + static_cast<float>(i / 16));
    }
    std::vector<data::Field> fields{
        world.dataset.item_fields.fields().begin(), world.dataset.item_fields.fields().end()
    };
    fields.push_back(std::move(year));
    world.dataset.item_fields = data::Catalogue{48, std::move(fields)};
    return world;
}

ProtocolOptions new_items(Part part = Part::test) {
    return {
        .kind = ProtocolKind::new_items,
        .part = part,
        .folds = 3,
        .contexts = {3},
        .max_targets = 3,
        .new_share = 0.2
    };
}

TEST(NewItems, are_the_latest_and_in_no_training_log_and_ranked_among_themselves) {
    const auto world = world_with_years();
    const auto protocol = make_protocol(world.dataset, new_items());

    const auto& trial = protocol.trials.at(0);
    ASSERT_EQ(trial.ages.size(), 48U);
    for (std::size_t i = 0; i < 48; ++i) {
        EXPECT_EQ(trial.ages[i] == data::ItemAge::fresh, i / 4 % 4 == 3) << i;
    }
    for (const auto item : trial.train.columns().items) {
        EXPECT_EQ(trial.ages[item.index()], data::ItemAge::old);
    }
    std::set<std::size_t> groups;
    for (const auto& query : trial.queries) {
        groups.insert(query.group);
        const bool are_new = query.group < 2;
        EXPECT_EQ(query.candidates.size(), are_new ? 12U : 36U);
        for (const auto target : query.targets) {
            EXPECT_NE(std::ranges::find(query.candidates, target), query.candidates.end());
        }
        EXPECT_EQ(trial.train.history(query.user).empty(), query.group % 2 == 0);
    }
    EXPECT_EQ(groups.size(), 4U);
    EXPECT_THAT(protocol.label, testing::HasSubstr("12 items from year 2000 on"));
}

TEST(NewItems, the_validation_part_does_without_the_items_of_the_test_part) {
    const auto world = world_with_years();
    const auto test = make_protocol(world.dataset, new_items());
    const auto validation = make_protocol(world.dataset, new_items(Part::validation));

    const auto& ages = validation.trials.at(0).ages;
    for (std::size_t i = 0; i < 48; ++i) {
        if (test.trials.at(0).ages[i] == data::ItemAge::fresh) {
            EXPECT_EQ(ages[i], data::ItemAge::gone);
        }
    }
    for (const auto& query : validation.trials[0].queries) {
        for (const auto target : query.targets) {
            EXPECT_NE(ages[target.index()], data::ItemAge::gone);
        }
    }
}

TEST(NewItems, models_are_fitted_without_them_and_find_them_by_content) {
    const auto world = world_with_years();
    const auto protocol = make_protocol(world.dataset, new_items());
    SilentProgress silent;
    Settings four;
    four.set("dim", "4");
    std::vector<Contender> contenders;
    for (const auto* name : {"random", "content_knn", "gaussian", "similar_popularity", "ease"}) {
        contenders.push_back({.name = name, .entry = &train::find_model(name), .settings = {}});
    }
    contenders[2].settings = four;

    const auto outcomes = run_protocol(
        world.dataset, protocol, contenders, {.k = 3, .content = &world.content}, {silent, {}}
    );
    const auto evaluation =
        summarise(world.dataset, protocol, outcomes, {.k = 3, .baseline = "random"});

    ASSERT_EQ(evaluation.groups.size(), 4U);
    EXPECT_EQ(evaluation.groups[0].n_candidates, 12U);
    EXPECT_THAT(evaluation.ranking, testing::HasSubstr("new users, new items"));
    EXPECT_THAT(outcomes[4].refused, testing::HasSubstr("cannot place items"));
    // Three new items of twelve are of the own group: content finds them, a shuffle does not.
    const auto& rows = evaluation.rows;
    EXPECT_DOUBLE_EQ(rows[1].ndcg, rows[1].groups.at(0).ndcg);
    EXPECT_GT(rows[1].ndcg, 2 * rows[0].ndcg);
    EXPECT_GT(rows[2].ndcg, 2 * rows[0].ndcg);
    EXPECT_GT(rows[2].groups.at(1).difference->bootstrap.low, 0);
    EXPECT_THAT(to_text(evaluation), testing::HasSubstr("old users, new items"));
    EXPECT_EQ(to_json(evaluation)["rows"][1]["groups"].size(), 4U);
}

TEST(NewItems, a_field_without_numbers_or_a_share_that_leaves_nothing_is_refused) {
    const auto world = world_with_years();
    for (const auto* by : {"group", "nowhere"}) {
        auto options = new_items();
        options.new_by = by;
        EXPECT_THROW((void)make_protocol(world.dataset, options), Error) << by;
    }
    auto options = new_items();
    options.new_since = 3000;
    EXPECT_THROW((void)make_protocol(world.dataset, options), Error);
}

TEST(Transfer, a_run_knows_another_catalogue_by_its_content_and_not_by_its_names) {
    auto source = small_world({.n_users = 120, .n_items = 48});
    source.content.encoder = "text";
    auto target = small_world({.n_users = 40, .n_items = 32, .seed = 23});
    target.content.encoder = "text";
    SilentProgress silent;
    Settings four;
    four.set("dim", "4");
    const auto& entry = train::find_model("gaussian");
    auto run = run_of(
        source.dataset,
        entry.fit(
            {.dataset = source.dataset,
             .log = source.dataset.log,
             .content = &source.content,
             .rng = Rng{1},
             .progress = silent,
             .stop = {}},
            four
        )
    );
    run.manifest["content_encoder"] = "text";
    const auto protocol = make_protocol(
        target.dataset, {.kind = ProtocolKind::few_shot, .folds = 2, .contexts = {0, 3}}
    );
    const std::vector<Contender> contenders{
        {.name = "run", .settings = {}, .run = &run, .run_items = RunItems::by_content}
    };

    const auto outcomes = run_protocol(
        target.dataset, protocol, contenders, {.k = 3, .content = &target.content}, {silent, {}}
    );
    const auto refused = run_protocol(target.dataset, protocol, contenders, {.k = 3}, {silent, {}});
    const auto evaluation = summarise(target.dataset, protocol, outcomes, {.k = 3});

    EXPECT_THAT(refused[0].refused, testing::HasSubstr("--encoder text"));
    ASSERT_TRUE(outcomes[0].refused.empty());
    const auto& curve = evaluation.rows.at(0).curve;
    EXPECT_GT(curve.at(1), 2 * curve.at(0));  // three clicks tell the group, of four
}

}  // namespace
}  // namespace hg::app
