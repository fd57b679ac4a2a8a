// SPDX-License-Identifier: Apache-2.0
// What every model of the registry promises, tested for every line of models/builtin.def.
#include "core/top_k.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/model_entry.hpp"
#include "train/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace hg::train {
namespace {

using testing_support::small_world;
using testing_support::SmallWorld;
using testing_support::TemporaryFolder;

constexpr std::uint64_t seed = 5;

using Values = std::map<std::string, std::string, std::less<>>;

/// Options that make a model small and quick, where its defaults are for real data.
const Values small{
    {"factors", "8"},
    {"dim", "16"},
    {"hidden", "32"},
    {"epochs", "60"},
    {"lambda", "5"},
    {"max_length", "20"},
    {"batch_size", "16"},
    {"warmup_steps", "5"},
    {"learning_rate", "0.005"}
};

/// And those that let a gradient model learn eight users by heart.
const Values by_heart{
    {"dim", "32"},
    {"epochs", "300"},
    {"patience", "0"},
    {"dropout", "0"},
    {"validation_share", "0"},
    {"validate", "false"},
    {"batch_size", "8"},
    {"content_only_share", "0"},
    {"max_length", "20"},
    {"warmup_steps", "5"},
    {"learning_rate", "0.01"},
    {"lambda", "1"},
    {"penalty", "0.01"},
    {"factors", "8"}
};

Settings settings_of(const ModelEntry& entry, const Values& values) {
    Settings settings;
    entry.options([&](const OptionInfo& option) {
        if (const auto found = values.find(option.name); found != values.end()) {
            settings.set(found->first, found->second, "test");
        }
    });
    return settings;
}

Settings quick(const ModelEntry& entry) {
    return settings_of(entry, small);
}

std::unique_ptr<Recommender> fit(
    const ModelEntry& entry, const SmallWorld& world, const Values& values = small
) {
    SilentProgress progress;
    return entry.fit(
        {
            .dataset = world.dataset,
            .log = world.dataset.log,
            .content = &world.content,
            .rng = Rng{seed},
            .progress = progress,
            .stop = {},
        },
        settings_of(entry, values)
    );
}

Matrix<float> scores_of(const Recommender& model, std::span<const data::History> histories) {
    Matrix<float> scores(histories.size(), model.n_items());
    model.score(histories, scores.view());
    return scores;
}

void expect_near(const Matrix<float>& a, const Matrix<float>& b, float tolerance) {
    ASSERT_EQ(a.values().size(), b.values().size());
    for (std::size_t i = 0; i < a.values().size(); ++i) {
        ASSERT_NEAR(a.values()[i], b.values()[i], tolerance * (1.0F + std::abs(a.values()[i])))
            << "at " << i;
    }
}

/// One fitted model per entry, shared by the tests: fitting the gradient models takes seconds.
class Model : public testing::TestWithParam<const ModelEntry*> {
  protected:
    static const SmallWorld& world() {
        static const SmallWorld instance = small_world();
        return instance;
    }

    static const Recommender& fitted() {
        static std::map<const ModelEntry*, std::unique_ptr<Recommender>> cache;
        auto& model = cache[GetParam()];
        if (model == nullptr) {
            model = fit(*GetParam(), world());
        }
        return *model;
    }

    static std::vector<data::History> histories() { return world().dataset.log.histories(); }
};

TEST_P(Model, gives_a_finite_score_to_every_item) {
    const auto scores = scores_of(fitted(), histories());

    EXPECT_EQ(fitted().n_items(), world().dataset.items.size());
    for (const auto score : scores.values()) {
        ASSERT_TRUE(std::isfinite(score));
    }
}

TEST_P(Model, serves_an_empty_history) {
    const auto scores = scores_of(fitted(), std::vector<data::History>(2));

    for (std::size_t i = 0; i < scores.cols(); ++i) {
        ASSERT_TRUE(std::isfinite(scores(0, i)));
        ASSERT_EQ(scores(0, i), scores(1, i));
    }
}

TEST_P(Model, survives_a_history_of_dislikes_only_and_one_of_repeats) {
    data::HistoryBuffer dislikes;
    data::HistoryBuffer repeats;
    for (std::uint32_t i = 0; i < 300; ++i) {
        dislikes.add({.item = ItemId{i % 5}, .weight = -1.0F});
        repeats.add(ItemId{3});
    }

    const auto scores = scores_of(fitted(), std::array{dislikes.view(), repeats.view()});

    for (const auto score : scores.values()) {
        ASSERT_TRUE(std::isfinite(score));
    }
}

TEST_P(Model, scores_a_batch_as_it_scores_one_by_one) {
    const auto users = histories();
    const auto together = scores_of(fitted(), users);

    for (std::size_t u = 0; u < users.size(); u += 7) {
        const auto alone = scores_of(fitted(), std::span{users}.subspan(u, 1));
        for (std::size_t i = 0; i < alone.cols(); ++i) {
            ASSERT_NEAR(alone(0, i), together(u, i), 1e-4F * (1.0F + std::abs(together(u, i))));
        }
    }
}

TEST_P(Model, is_the_same_after_save_and_load) {
    const TemporaryFolder folder;
    SafetensorsWriter writer;
    fitted().save(writer);
    writer.save(folder / "weights.safetensors");

    const auto file = value_or_throw(SafetensorsFile::open(folder / "weights.safetensors"));
    const auto loaded = GetParam()->load(file, quick(*GetParam()));

    expect_near(scores_of(fitted(), histories()), scores_of(*loaded, histories()), 1e-6F);
}

TEST_P(Model, refuses_weights_of_another_model) {
    SafetensorsWriter writer;
    const TemporaryFolder folder;
    writer.add<float>("something_else", std::vector{1.0F});
    writer.save(folder / "weights.safetensors");
    const auto file = value_or_throw(SafetensorsFile::open(folder / "weights.safetensors"));

    EXPECT_THROW((void)GetParam()->load(file, quick(*GetParam())), Error);
}

TEST_P(Model, does_not_care_for_the_order_of_users) {
    if (GetParam()->name == "gaussian_mixture") {
        GTEST_SKIP() << "its clusters start from users drawn at random";
    }
    if (has(GetParam()->facts, Fact::uses_gradient) || GetParam()->name == "bpr") {
        GTEST_SKIP() << "what a step learns from is drawn: equal in expectation only";
    }
    auto turned = small_world();
    const auto n_users = static_cast<std::uint32_t>(turned.dataset.users.size());
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        const auto history = world().dataset.log.history(UserId{u});
        for (std::size_t i = 0; i < history.size(); ++i) {
            events.push_back(
                {.user = UserId{n_users - 1 - u}, .item = history.items[i], .time = history.times[i]
                }
            );
        }
    }
    turned.dataset.log =
        data::InteractionLog::from_events(std::move(events), n_users, turned.dataset.items.size());

    const auto model = fit(*GetParam(), turned);

    expect_near(scores_of(fitted(), histories()), scores_of(*model, histories()), 1e-3F);
}

TEST_P(Model, gives_the_same_scores_for_the_same_seed) {
    expect_near(
        scores_of(fitted(), histories()), scores_of(*fit(*GetParam(), world()), histories()), 1e-6F
    );
}

TEST_P(Model, refuses_before_it_takes_more_memory_than_it_may) {
    constexpr std::array small_ones{
        "random",
        "popularity",
        "personal_frequency",
        "similar_popularity",
        "content_knn",
        "vector_db"
    };
    SilentProgress progress;
    const FitContext context{
        .dataset = world().dataset,
        .log = world().dataset.log,
        .content = &world().content,
        .rng = Rng{seed},
        .progress = progress,
        .stop = {},
        .memory_limit = 100,
    };
    if (std::ranges::find(small_ones, GetParam()->name) != small_ones.end()) {
        EXPECT_NE(GetParam()->fit(context, quick(*GetParam())), nullptr)
            << "keeps no more than it reads";
        return;
    }
    try {
        (void)GetParam()->fit(context, quick(*GetParam()));
        FAIL() << "took what it wanted";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::exhausted);
        EXPECT_THAT(error.message(), testing::HasSubstr("need 0.0 GB, the limit is 0.0 GB"));
        EXPECT_THAT(error.hint(), testing::Not(testing::IsEmpty()));
    }
}

TEST_P(Model, never_returns_a_masked_item) {
    const auto users = histories();
    auto scores = scores_of(fitted(), users);

    for (std::size_t u = 0; u < users.size(); ++u) {
        const auto row = scores.row(u);
        mask(row, users[u].items);
        for (const auto& best : top_k(row, row.size())) {
            ASSERT_EQ(std::ranges::find(users[u].items, ItemId{best.index}), users[u].items.end());
        }
    }
}

TEST_P(Model, has_vectors_whose_product_is_the_score_where_it_has_vectors) {
    const auto items = fitted().item_vectors();
    if (!items) {
        GTEST_SKIP() << "has no vectors";
    }
    const auto users = histories();
    const auto scores = scores_of(fitted(), users);
    Matrix<float> vectors(users.size(), items->cols());
    fitted().user_vectors(users, vectors.view());

    for (std::size_t u = 0; u < users.size(); u += 5) {
        for (std::size_t i = 0; i < items->rows(); ++i) {
            double product = 0;
            for (std::size_t d = 0; d < items->cols(); ++d) {
                product += static_cast<double>(vectors(u, d)) * (*items)(i, d);
            }
            ASSERT_NEAR(product, scores(u, i), 1e-3 * (1.0 + std::abs(product)));
        }
    }
}

TEST_P(Model, scores_a_new_item_as_it_scores_one_with_the_same_content) {
    const auto users = histories();
    Matrix<float> fresh(users.size(), world().content.n_items());
    const auto content = world().content.vectors.view();
    if (!fitted().score_new_items(users, content, fresh.view())) {
        GTEST_SKIP() << "cannot score new items";
    }

    // Likes of the own group must be found among new items as well.
    std::size_t n_right = 0;
    for (std::size_t u = 0; u < users.size(); ++u) {
        const auto best = top_k(fresh.row(u), 1).at(0);
        n_right += world().group_of(ItemId{best.index}) == u % world().n_groups ? 1 : 0;
    }

    EXPECT_GT(n_right, users.size() * 6 / 10);  // by chance: a quarter
}

TEST_P(Model, grown_by_items_scores_old_ones_as_before_and_new_ones_by_their_content) {
    const auto users = histories();
    const auto content = world().content.vectors.view().rows_slice(0, 7);
    const auto grown = fitted().grown(content);
    if (grown == nullptr) {
        GTEST_SKIP() << "cannot be grown";
    }
    const auto n = fitted().n_items();
    ASSERT_EQ(grown->n_items(), n + 7);

    const auto before = scores_of(fitted(), users);
    const auto after = scores_of(*grown, users);
    Matrix<float> fresh(users.size(), 7);
    const bool has_new_scores = fitted().score_new_items(users, content, fresh.view());

    for (std::size_t u = 0; u < users.size(); ++u) {
        for (std::size_t i = 0; i < n; ++i) {
            ASSERT_NEAR(after(u, i), before(u, i), 1e-4 * (1.0 + std::abs(before(u, i))));
        }
        for (std::size_t i = 0; i < 7; ++i) {
            ASSERT_TRUE(std::isfinite(after(u, n + i)));
            if (has_new_scores) {
                ASSERT_NEAR(after(u, n + i), fresh(u, i), 1e-3 * (1.0 + std::abs(fresh(u, i))));
            }
        }
    }
}

TEST_P(Model, grown_by_items_learns_from_events_on_them) {
    const auto content = world().content.vectors.view();
    const auto grown = fitted().grown(content);
    if (grown == nullptr || GetParam()->name == "similar_popularity" ||
        has(GetParam()->facts, Fact::random_scores | Fact::has_parts)) {
        GTEST_SKIP() << "cannot be grown, does not tell users apart, or has parts that cannot";
    }
    const auto n = static_cast<std::uint32_t>(fitted().n_items());

    // Three clicks on new items of a group: others of that group, old and new, must come first.
    std::size_t n_right = 0;
    for (std::uint32_t group = 0; group < world().n_groups; ++group) {
        const auto groups = static_cast<std::uint32_t>(world().n_groups);
        data::HistoryBuffer clicks;
        for (std::uint32_t i = 0; i < 3; ++i) {
            clicks.add(ItemId{n + group + i * groups});
        }
        const data::History history = clicks.view();
        auto scores = scores_of(*grown, std::array{history});
        mask(scores.row(0), history.items);
        for (const auto& best : top_k(scores.row(0), 4)) {
            n_right += best.index % n % groups == group ? 1 : 0;
        }
    }

    EXPECT_GT(n_right, 4 * world().n_groups * 6 / 10);  // by chance: a quarter
}

/// Eight users with two items each of the own group, seen twice over: the second half of a pair
/// follows.
TEST_P(Model, overfits_eight_users) {
    const auto facts = GetParam()->facts;
    if (has(facts, Fact::random_scores) || GetParam()->name == "popularity" ||
        GetParam()->name == "similar_popularity" || GetParam()->name == "personal_frequency") {
        GTEST_SKIP() << "does not tell users apart by what they liked";
    }
    const auto tiny = small_world(
        {.n_users = 8, .n_items = 16, .n_groups = 4, .events_per_user = 4, .own_group = 1.0}
    );
    const auto model = fit(*GetParam(), tiny, by_heart);
    const auto users = tiny.dataset.log.histories();
    std::size_t n_right = 0;
    for (std::size_t u = 0; u < users.size(); ++u) {
        const auto context = users[u].head(3);
        auto scores = scores_of(*model, std::array{context});
        mask(scores.row(0), context.items);
        n_right += top_k(scores.row(0), 1).at(0).index == users[u].items[3].value ? 1 : 0;
    }

    EXPECT_EQ(n_right, 8);
}

INSTANTIATE_TEST_SUITE_P(
    registry,
    Model,
    testing::ValuesIn(models().begin(), models().end()),
    [](const auto& entry) { return std::string{entry.param->name}; }
);

TEST(Registry, describes_every_option) {
    for (const auto* entry : models()) {
        EXPECT_FALSE(entry->summary.empty()) << entry->name;
        entry->options([entry](const OptionInfo& option) {
            EXPECT_FALSE(option.help.empty()) << entry->name << "." << option.name;
        });
    }
}

}  // namespace
}  // namespace hg::train
