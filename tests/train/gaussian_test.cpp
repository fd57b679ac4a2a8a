// SPDX-License-Identifier: Apache-2.0
#include "data/attributes.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/fit_gaussian_prior.hpp"
#include "train/truncated_svd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace hg::train {
namespace {

/// Two tastes: even users like even items, odd users odd ones; each misses one item of its taste.
data::InteractionLog two_tastes(std::uint32_t n_users = 40, std::uint32_t n_items = 12) {
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        for (std::uint32_t i = u % 2; i < n_items; i += 2) {
            if (i / 2 != (u / 2) % (n_items / 2)) {
                events.push_back({.user = UserId{u}, .item = ItemId{i}});
            }
        }
    }
    return data::InteractionLog::from_events(std::move(events), n_users, n_items);
}

TEST(TruncatedSvd, finds_the_singular_values_of_a_known_matrix) {
    // X = identity with one full row: worked out by numpy: X = [[1,1],[1,0]] has 1.618 and 0.618.
    const auto log = data::InteractionLog::from_events(
        {{.user = UserId{0}, .item = ItemId{0}},
         {.user = UserId{0}, .item = ItemId{1}},
         {.user = UserId{1}, .item = ItemId{0}}},
        2,
        2
    );
    SilentProgress progress;

    const auto svd = truncated_svd(log, {.rank = 2}, Rng{1}, progress, {});

    EXPECT_NEAR(svd.singular[0], 1.6180340, 1e-4);
    EXPECT_NEAR(svd.singular[1], 0.6180340, 1e-4);
    EXPECT_NEAR(std::abs(svd.right(0, 0)), 0.8506508, 1e-4);
}

TEST(Gaussian, after_one_click_items_of_the_same_taste_come_first) {
    const data::Dataset dataset;
    const auto log = two_tastes();
    SilentProgress progress;
    const FitContext context{
        .dataset = dataset,
        .log = log,
        .content = nullptr,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };

    const auto prior = fit_gaussian_prior(context, {.dim = 4});

    auto belief = prior.start();
    prior.observe(belief, 3, 1.0F);
    std::vector<float> scores(12);
    prior.score(belief, scores);
    for (std::size_t even = 0; even < 12; even += 2) {
        EXPECT_LT(scores[even], scores[1]);
        EXPECT_LT(scores[even], scores[5]);
    }
}

/// Users of two_tastes() with the field that tells their taste; user 7 has none.
data::Catalogue taste_field(std::size_t n_users) {
    data::Field field{
        .name = "taste", .kind = data::FieldKind::category, .vocabulary = {"even", "odd"}
    };
    field.code_offsets.push_back(0);
    for (std::size_t u = 0; u < n_users; ++u) {
        field.present.push_back(u == 7 ? 0 : 1);
        if (u != 7) {
            field.codes.push_back(static_cast<std::uint32_t>(u % 2));
        }
        field.code_offsets.push_back(static_cast<std::int64_t>(field.codes.size()));
    }
    return {n_users, {std::move(field)}};
}

TEST(Gaussian, a_user_without_events_starts_from_the_prior_of_the_segment_also_after_loading) {
    data::Dataset dataset;
    dataset.user_fields = taste_field(40);
    const auto log = two_tastes();
    SilentProgress progress;
    const auto& entry = find_model("gaussian");
    Settings settings;
    settings.set("dim", "4");
    settings.set("segment_field", "taste");
    settings.set("segment_shrinkage", "0");
    const auto fitted = entry.fit(
        {.dataset = dataset,
         .log = log,
         .content = nullptr,
         .rng = Rng{1},
         .progress = progress,
         .stop = {}},
        settings
    );
    const testing_support::TemporaryFolder folder;
    SafetensorsWriter writer;
    fitted->save(writer);
    writer.save(folder / "weights.safetensors");
    const auto weights = value_or_throw(SafetensorsFile::open(folder / "weights.safetensors"));
    const auto loaded = entry.load(weights, settings);

    const data::Attributes odd{{{"taste", "odd"}}};
    const data::Attributes unknown{{{"taste", "neither"}}};
    const std::array histories{
        data::History{.attributes = odd.view()},
        data::History{.attributes = unknown.view()},
        data::History{},
    };
    Matrix<float> scores(3, 12);
    loaded->score(histories, scores.view());

    EXPECT_GT(scores(0, 3), scores(0, 2) + 0.3F);   // odd items first
    EXPECT_NEAR(scores(1, 3), scores(1, 2), 0.2F);  // everyone's prior has no side
    for (std::size_t i = 0; i < 12; ++i) {
        EXPECT_FLOAT_EQ(scores(1, i), scores(2, i));
    }
}

// A belief is rebuilt when the space changes; equal vectors with another noise, forgetting or
// covariance make other beliefs of the same events.
TEST(Gaussian, whatever_changes_a_belief_changes_the_name_of_its_space) {
    const auto parts = [] {
        return GaussianPrior::Parts{
            .item_vectors = Matrix<float>(2, 1, {1, -1}),
            .segments = {{"", {{.5F}, {2}}}, {"F", {{.1F}, {3}}}},
            .noise_variance = .5F,
            .forgetting = .1F,
            .content_map = {},
        };
    };
    std::vector<GaussianPrior::Parts> changed(7, parts());
    changed[0].item_vectors(1, 0) = 1;
    changed[1].segments[0].start.covariance[0] = 1;
    changed[2].segments[1].start.mean[0] = 1;
    changed[3].segments[1].name = "M";
    changed[4].noise_variance = 1;
    changed[5].forgetting = 0;
    changed[6].choice = {Matrix<float>(1, 1, {1}), {0}, 2, 1};
    std::vector<std::string> names{GaussianPrior{parts()}.space_id()};

    EXPECT_EQ(GaussianPrior{parts()}.space_id(), names.front());
    for (auto& one : changed) {
        const auto name = GaussianPrior{std::move(one)}.space_id();
        EXPECT_THAT(names, testing::Not(testing::Contains(name)));
        names.push_back(name);
    }
}

TEST(Gaussian, an_empty_log_is_refused_with_the_next_step) {
    const data::Dataset dataset;
    const auto log = data::InteractionLog::from_events(
        {{.user = UserId{0}, .item = ItemId{0}, .weight = -1}}, 1, 1
    );
    SilentProgress progress;
    const FitContext context{
        .dataset = dataset,
        .log = log,
        .content = nullptr,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };

    EXPECT_THROW((void)fit_gaussian_prior(context, {}), Error);
}

/// A world with content, fitted with these options.
GaussianPrior fitted(const GaussianOptions& options) {
    const auto world = testing_support::small_world();
    SilentProgress progress;
    const FitContext context{
        .dataset = world.dataset,
        .log = world.dataset.log,
        .content = &world.content,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };
    return fit_gaussian_prior(context, options);
}

GaussianPrior saved_and_loaded(const GaussianPrior& prior) {
    const testing_support::TemporaryFolder folder;
    SafetensorsWriter weights;
    prior.save(weights, "");
    weights.save(folder / "weights.safetensors");
    return GaussianPrior::load(
        value_or_throw(SafetensorsFile::open(folder / "weights.safetensors")), ""
    );
}

TEST(Gaussian, a_content_map_with_a_hidden_layer_is_saved_with_the_run) {
    const auto world = testing_support::small_world();
    const auto prior = fitted({.dim = 4, .content_map = "mlp"});

    const auto loaded = saved_and_loaded(prior);

    ASSERT_FALSE(prior.parts().content_map.features.empty());
    const auto content = world.content.vectors.row(3);
    EXPECT_EQ(loaded.place(content), prior.place(content));
}

TEST(Gaussian, every_form_of_it_learns_the_same_after_loading) {
    for (const auto& options :
         {GaussianOptions{.dim = 4, .covariance = "diagonal"},
          GaussianOptions{.dim = 4, .likelihood = "choice"},
          GaussianOptions{.dim = 4, .content_map = "contrastive"}}) {
        const auto prior = fitted(options);
        const auto loaded = saved_and_loaded(prior);
        auto before = prior.start("");
        auto after = loaded.start("");
        for (const std::size_t item : {3U, 7U, 11U}) {
            prior.observe(before, item, 1);
            loaded.observe(after, item, 1);
        }
        EXPECT_EQ(after.mean, before.mean);
        EXPECT_EQ(after.covariance, before.covariance);
        EXPECT_EQ(loaded.space_id(), prior.space_id());
    }
}

TEST(Gaussian, weights_that_do_not_fit_each_other_are_refused_by_name) {
    const auto expect_corrupt = [](GaussianPrior::Parts parts) {
        try {
            (void)saved_and_loaded(GaussianPrior{std::move(parts)});
            ADD_FAILURE() << "loaded";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::corrupt) << error.what();
        }
    };
    const auto map = fitted({.dim = 4, .content_map = "mlp"});
    auto parts = map.parts();
    parts.content_map.features.offset.pop_back();
    expect_corrupt(std::move(parts));
    parts = map.parts();
    parts.content_map.features.scale = 0;
    expect_corrupt(std::move(parts));
    const auto choice = fitted({.dim = 4, .likelihood = "choice"});
    parts = choice.parts();
    parts.choice.log_weights.pop_back();
    expect_corrupt(std::move(parts));
    parts = choice.parts();
    parts.choice.sharpness = -1;
    expect_corrupt(std::move(parts));
}

}  // namespace
}  // namespace hg::train
