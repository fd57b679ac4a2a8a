// SPDX-License-Identifier: Apache-2.0
// What dae, wide_dae, anil, sasrec and hstu promise beyond the contract of all models.
#include "core/file.hpp"
#include "core/top_k.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hg::train {
namespace {

using testing_support::small_world;
using testing_support::SmallWorld;
using testing_support::TemporaryFolder;

/// Asks to stop when the bar reaches a number.
class StopAt final : public ProgressSink {
  public:
    explicit StopAt(std::size_t done) : done_(done) {}

    void show(const State& state) override {
        if (state.done == done_ && !state.finished) {
            source.request_stop();
        }
    }

    std::stop_source source;

  private:
    std::size_t done_;
};

Settings quick(std::string_view model, std::initializer_list<std::string_view> more = {}) {
    Settings settings;
    settings.set_assignment("dim=16");
    settings.set_assignment("epochs=8");
    settings.set_assignment("batch_size=16");
    settings.set_assignment("dropout=0.1");
    settings.set_assignment("learning_rate=0.01");
    if (model == "sasrec" || model == "hstu") {
        settings.set_assignment("max_length=12");
    }
    for (const auto assignment : more) {
        settings.set_assignment(assignment);
    }
    return settings;
}

struct FitOptions {
    RunWriter* run = nullptr;
    StopAt* stop = nullptr;
    bool has_content = false;
};

std::unique_ptr<Recommender> fit(
    std::string_view model,
    const SmallWorld& world,
    const Settings& settings,
    FitOptions options = {}
) {
    SilentProgress silent;
    const FitContext context{
        .dataset = world.dataset,
        .log = world.dataset.log,
        .content = options.has_content ? &world.content : nullptr,
        .rng = Rng{5},
        .progress = options.stop != nullptr ? static_cast<ProgressSink&>(*options.stop) : silent,
        .stop = options.stop != nullptr ? options.stop->source.get_token() : std::stop_token{},
        .run = options.run,
    };
    return find_model(model).fit(context, settings);
}

std::vector<float> scores_of(const Recommender& model, const data::History& history) {
    Matrix<float> scores(1, model.n_items());
    model.score(std::array{history}, scores.view());
    return {scores.values().begin(), scores.values().end()};
}

class GradientModel : public testing::TestWithParam<std::string_view> {
  protected:
    SmallWorld world_ = small_world();
    TemporaryFolder folder_;
};

TEST_P(GradientModel, resumed_after_an_interrupt_is_the_model_of_an_uninterrupted_fit) {
    const auto settings = quick(GetParam());
    RunWriter quiet{folder_.path() / "whole"};
    const auto whole = fit(GetParam(), world_, settings, {.run = &quiet});
    RunWriter first{folder_.path() / "parts"};
    StopAt stop{37};
    EXPECT_THROW((void)fit(GetParam(), world_, settings, {.run = &first, .stop = &stop}), Error);
    ASSERT_TRUE(std::filesystem::exists(first.checkpoint_path()));

    RunWriter second{folder_.path() / "parts"};
    const auto resumed = fit(GetParam(), world_, settings, {.run = &second});

    for (const auto& history : world_.dataset.log.histories()) {
        EXPECT_EQ(scores_of(*whole, history), scores_of(*resumed, history));
    }
    EXPECT_EQ(quiet.notes(), second.notes());
}

TEST(ResumedBlend, is_the_blend_of_an_uninterrupted_fit) {
    const auto world = small_world();
    const TemporaryFolder folder;
    Settings settings;
    settings.set_assignment(R"(rankers=["popularity", "dae"])");
    settings.set_assignment("dae.dim=16");
    settings.set_assignment("dae.epochs=8");
    settings.set_assignment("dae.patience=0");
    RunWriter quiet{folder.path() / "whole"};
    const auto whole = fit("blend", world, settings, {.run = &quiet});
    RunWriter first{folder.path() / "stopped"};
    StopAt stop{37};
    EXPECT_THROW((void)fit("blend", world, settings, {.run = &first, .stop = &stop}), Error);
    const auto part = first.folder() / "parts" / "choose_weights" / "dae";
    ASSERT_TRUE(std::filesystem::exists(part / RunWriter::checkpoint_name));

    RunWriter second{first.folder()};
    const auto resumed = fit("blend", world, settings, {.run = &second});

    for (const auto& history : world.dataset.log.histories()) {
        EXPECT_EQ(scores_of(*whole, history), scores_of(*resumed, history));
    }
    EXPECT_FALSE(std::filesystem::exists(part / RunWriter::checkpoint_name));
    EXPECT_TRUE(std::filesystem::exists(part / "metrics.jsonl"));
}

TEST_P(GradientModel, the_loss_falls) {
    RunWriter run{folder_.path() / "run"};

    (void)fit(GetParam(), world_, quick(GetParam()), {.run = &run});

    std::vector<double> losses;
    std::istringstream lines{value_or_throw(read_file(folder_.path() / "run" / "metrics.jsonl"))};
    for (std::string line; std::getline(lines, line);) {
        const auto point = nlohmann::json::parse(line);
        if (point["name"] == "train/loss") {
            losses.push_back(point["value"]);
        }
    }
    ASSERT_GE(losses.size(), 2U);
    EXPECT_LT(losses.back(), losses.front() - 0.1);
}

TEST_P(GradientModel, company_in_the_batch_changes_no_score) {
    const auto model = fit(GetParam(), world_, quick(GetParam()));
    data::HistoryBuffer buffer;
    for (std::uint32_t i = 0; i < 30; ++i) {
        buffer.add(ItemId{(i * 7) % 40});
    }
    const auto longest = buffer.view();
    const std::array histories{longest.head(2), longest, longest.head(0), longest.head(5)};
    Matrix<float> scores(histories.size(), model->n_items());

    model->score(histories, scores.view());

    for (std::size_t h = 0; h < histories.size(); ++h) {
        const auto alone = scores_of(*model, histories[h]);
        for (std::size_t i = 0; i < alone.size(); ++i) {
            EXPECT_NEAR(scores(h, i), alone[i], 1e-5F * (1 + std::abs(alone[i])));
        }
    }
}

TEST_P(GradientModel, without_a_history_the_popular_items_are_on_top) {
    // Item 0 is taken by every user, item 1 by two of three, the rest by few.
    data::Dataset& data = world_.dataset;
    Rng rng{3};
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < 60; ++u) {
        std::vector<std::uint32_t> items{0};
        if (u % 3 != 0) {
            items.push_back(1);
        }
        for (int i = 0; i < 4; ++i) {
            items.push_back(2 + static_cast<std::uint32_t>(rng.below(38)));
        }
        rng.shuffle(std::span{items});
        for (std::size_t i = 0; i < items.size(); ++i) {
            events.push_back(
                {.user = UserId{u}, .item = ItemId{items[i]}, .time = static_cast<TimeMs>(i)}
            );
        }
    }
    data.log = data::InteractionLog::from_events(std::move(events), 60, 40);

    const auto model =
        fit(GetParam(), world_, quick(GetParam(), {"epochs=60", "learning_rate=0.003"}));

    const auto best = top_k(scores_of(*model, {}), 2);
    EXPECT_THAT((std::array{best[0].index, best[1].index}), testing::UnorderedElementsAre(0, 1));
}

TEST_P(GradientModel, dislikes_are_neither_learned_nor_read_as_likes) {
    const auto model = fit(GetParam(), world_, quick(GetParam()));
    data::HistoryBuffer liked;
    liked.add(ItemId{1});
    data::HistoryBuffer mixed;
    mixed.add({.item = ItemId{2}, .weight = -1});
    mixed.add(ItemId{1});

    EXPECT_EQ(scores_of(*model, liked.view()), scores_of(*model, mixed.view()));
}

INSTANTIATE_TEST_SUITE_P(
    models,
    GradientModel,
    testing::Values("dae", "wide_dae", "anil", "sasrec", "hstu"),
    [](const auto& test) { return std::string{test.param}; }
);

TEST(Dae, a_long_history_is_scored_as_well_as_a_short_one) {
    const auto world = small_world({.n_users = 200, .n_items = 80, .events_per_user = 15});
    const auto model = fit("dae", world, quick("dae", {"epochs=40"}));
    std::size_t right = 0;
    for (std::uint32_t group = 0; group < 4; ++group) {
        data::HistoryBuffer history;
        for (std::uint32_t i = 0; i < 18; ++i) {
            history.add(ItemId{4 * i + group});
        }
        auto scores = scores_of(*model, history.view());
        mask(scores, history.view().items);
        const auto best = top_k(scores, 2);
        for (const auto& item : best) {
            right += world.group_of(ItemId{item.index}) == group ? 1U : 0U;
        }
    }

    EXPECT_EQ(right, 8U);
}

TEST(Sasrec, reads_the_order_of_events) {
    const auto model = fit("sasrec", small_world(), quick("sasrec"));
    data::HistoryBuffer there;
    data::HistoryBuffer back;
    for (std::uint32_t i = 0; i < 4; ++i) {
        there.add(ItemId{i});
        back.add(ItemId{3 - i});
    }

    EXPECT_NE(scores_of(*model, there.view()), scores_of(*model, back.view()));
}

TEST(Sasrec, forgets_what_lies_before_its_window) {
    const auto model = fit("sasrec", small_world(), quick("sasrec"));
    data::HistoryBuffer history;
    for (std::uint32_t i = 0; i < 25; ++i) {
        history.add(ItemId{i});
    }

    EXPECT_EQ(scores_of(*model, history.view()), scores_of(*model, history.view().tail(12)));
}

TEST(Sasrec, of_a_long_history_the_last_events_alone_teach_where_that_is_asked_for) {
    auto one = small_world();
    auto other = small_world();
    const auto log_of = [](std::uint32_t early) {
        std::vector<data::Interaction> events;
        for (std::uint32_t u = 0; u < 20; ++u) {
            for (std::uint32_t i = 0; i < 20; ++i) {
                const auto item = i < 7 ? (u + early + i) % 40 : (u + i) % 40;
                events.push_back({.user = UserId{u}, .item = ItemId{item}, .time = TimeMs{i}});
            }
        }
        return data::InteractionLog::from_events(std::move(events), 20, 40);
    };
    one.dataset.log = log_of(0);
    other.dataset.log = log_of(21);
    const auto settings = quick("sasrec", {"long_histories=last", "validate=false"});
    const auto cut = quick("sasrec", {"validate=false"});
    data::HistoryBuffer history;
    history.add(ItemId{3});

    EXPECT_EQ(
        scores_of(*fit("sasrec", one, settings), history.view()),
        scores_of(*fit("sasrec", other, settings), history.view())
    );
    EXPECT_NE(
        scores_of(*fit("sasrec", one, cut), history.view()),
        scores_of(*fit("sasrec", other, cut), history.view())
    );
}

TEST(Sasrec, refitted_has_learned_from_everything_for_as_many_epochs_as_were_best) {
    const auto world = small_world();
    const TemporaryFolder folder;
    RunWriter run{folder.path() / "run"};

    const auto refitted = fit("sasrec", world, quick("sasrec", {"refit=true"}), {.run = &run});

    const auto epochs = fmt::format("epochs={}", run.notes().at("best_epoch").get<int>());
    const auto direct =
        fit("sasrec", world, quick("sasrec", {"validate=false", "patience=0", epochs}));
    for (const auto& history : world.dataset.log.histories()) {
        EXPECT_EQ(scores_of(*refitted, history), scores_of(*direct, history));
    }
    EXPECT_FALSE(std::filesystem::exists(
        run.folder() / "parts" / "choose_epoch" / RunWriter::checkpoint_name
    ));
}

TEST(Sasrec, stopped_while_refitting_it_goes_on_to_the_same_model) {
    const auto world = small_world();
    const TemporaryFolder folder;
    const auto settings = quick("sasrec", {"refit=true", "patience=0"});
    RunWriter quiet{folder.path() / "whole"};
    const auto whole = fit("sasrec", world, settings, {.run = &quiet});
    RunWriter first{folder.path() / "parts"};
    StopAt stop{37};
    EXPECT_THROW((void)fit("sasrec", world, settings, {.run = &first, .stop = &stop}), Error);

    RunWriter second{folder.path() / "parts"};
    // Another name of the device stands for another device: none of it is part of what is resumed.
    const auto elsewhere = quick("sasrec", {"refit=true", "patience=0", "device=cpu:0"});
    const auto resumed = fit("sasrec", world, elsewhere, {.run = &second});

    for (const auto& history : world.dataset.log.histories()) {
        EXPECT_EQ(scores_of(*whole, history), scores_of(*resumed, history));
    }
}

TEST(Sasrec, cannot_score_new_items_without_content) {
    const auto model = fit("sasrec", small_world(), quick("sasrec"));
    Matrix<float> content(1, 6);
    Matrix<float> out(1, 1);

    EXPECT_FALSE(model->score_new_items(std::vector<data::History>(1), content.view(), out.view()));
}

TEST(Sasrec, refuses_heads_that_do_not_divide_the_width) {
    EXPECT_THROW((void)fit("sasrec", small_world(), quick("sasrec", {"heads=3"})), Error);
}

class SasrecLoss : public testing::TestWithParam<std::string_view> {};

TEST_P(SasrecLoss, finds_the_own_group_from_content_and_events) {
    const auto world = small_world();
    const auto loss = "loss=" + std::string{GetParam()};
    // Calibrated cross-entropy first learns how rare everything is, and tastes later.
    const auto* const epochs = GetParam() == "gbce" ? "epochs=120" : "epochs=20";
    const auto model =
        fit("sasrec",
            world,
            quick("sasrec", {loss, epochs, "patience=0", "negatives=20", "learning_rate=0.003"}),
            {.has_content = true});
    const auto histories = world.dataset.log.histories();
    Matrix<float> scores(histories.size(), world.content.n_items());
    Matrix<float> fresh(histories.size(), world.content.n_items());
    model->score(histories, scores.view());

    ASSERT_TRUE(model->score_new_items(histories, world.content.vectors.view(), fresh.view()));

    std::size_t right = 0;
    std::size_t right_new = 0;
    for (std::size_t u = 0; u < histories.size(); ++u) {
        mask(scores.row(u), histories[u].items);
        right += world.group_of(ItemId{top_k(scores.row(u), 1)[0].index}) == u % 4 ? 1U : 0U;
        right_new += world.group_of(ItemId{top_k(fresh.row(u), 1)[0].index}) == u % 4 ? 1U : 0U;
    }
    EXPECT_GT(right, histories.size() / 2);  // by chance: a quarter
    EXPECT_GT(right_new, histories.size() * 7 / 10);
}

INSTANTIATE_TEST_SUITE_P(
    losses,
    SasrecLoss,
    testing::Values("full", "sampled", "gbce", "bce"),
    [](const auto& test) { return std::string{test.param}; }
);

}  // namespace
}  // namespace hg::train
