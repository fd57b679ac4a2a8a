// SPDX-License-Identifier: Apache-2.0
// Priors of more than one kind of user: by fields, by clusters, with scales chosen on users held
// out.
#include "data/attributes.hpp"
#include "support/temporary_folder.hpp"
#include "train/calibrate_prior.hpp"
#include "train/clusters.hpp"
#include "train/demographic_map.hpp"
#include "train/fit_gaussian_prior.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace hg::train {
namespace {

/// Users whose field says which half of the items they take from; `strays` of ten events do not.
struct Town {
    data::Dataset dataset;
    data::InteractionLog log;
};

Town town(
    std::uint32_t n_users, std::uint32_t n_items, std::uint32_t strays, std::size_t n_events
) {
    Town made;
    Rng rng{17};
    data::Field side{
        .name = "side", .kind = data::FieldKind::category, .vocabulary = {"even", "odd"}
    };
    data::Field age{.name = "age", .kind = data::FieldKind::number};
    side.code_offsets.push_back(0);
    std::vector<data::Interaction> events;
    for (std::uint32_t u = 0; u < n_users; ++u) {
        side.present.push_back(1);
        side.codes.push_back(u % 2);
        side.code_offsets.push_back(static_cast<std::int64_t>(side.codes.size()));
        age.present.push_back(1);
        age.numbers.push_back(static_cast<float>(20 + 40 * (u % 2) + rng.below(10)));
        std::set<std::uint32_t> taken;
        while (taken.size() < n_events) {
            const bool is_stray = rng.below(10) < strays;
            auto item = static_cast<std::uint32_t>(rng.below(n_items / 2)) * 2;
            item += (u % 2 + (is_stray ? 1U : 0U)) % 2;
            if (taken.insert(item).second) {
                events.push_back(
                    {.user = UserId{u},
                     .item = ItemId{item},
                     .time = static_cast<TimeMs>(taken.size())}
                );
            }
        }
    }
    made.dataset.user_fields = data::Catalogue{n_users, {std::move(side), std::move(age)}};
    made.log = data::InteractionLog::from_events(std::move(events), n_users, n_items);
    made.log.set_attributes(std::make_shared<data::AttributeTable>(made.dataset.user_fields));
    return made;
}

FitContext context_of(const Town& made, SilentProgress& progress) {
    return {
        .dataset = made.dataset,
        .log = made.log,
        .content = nullptr,
        .rng = Rng{1},
        .progress = progress,
        .stop = {},
    };
}

/// Mean score of even items less that of odd ones.
float lean(const Recommender& model, const data::History& history) {
    Matrix<float> scores(1, model.n_items());
    model.score(std::array{history}, scores.view());
    float even = 0;
    for (std::size_t i = 0; i < model.n_items(); ++i) {
        even += (i % 2 == 0 ? 1.0F : -1.0F) * scores(0, i);
    }
    return even / static_cast<float>(model.n_items());
}

std::unique_ptr<Recommender> fit(
    const char* name, const Town& made, std::initializer_list<const char*> assignments
) {
    SilentProgress progress;
    Settings settings;
    for (const auto* assignment : assignments) {
        settings.set_assignment(assignment);
    }
    return find_model(name).fit(context_of(made, progress), settings);
}

TEST(Demographics, a_user_without_events_is_expected_to_like_what_users_like_them_did) {
    const auto made = town(80, 20, 2, 6);
    const auto model = fit("gaussian", made, {"dim=4", "demographics=true"});
    const data::Attributes even{{{"side", "even"}, {"age", "24"}}};
    const data::Attributes odd{{{"side", "odd"}, {"age", "64"}}};
    const data::Attributes unknown{{{"side", "neither"}, {"city", "Oslo"}}};

    EXPECT_GT(lean(*model, {.attributes = even.view()}), 0.1F);
    EXPECT_LT(lean(*model, {.attributes = odd.view()}), -0.1F);
    EXPECT_NEAR(lean(*model, {.attributes = unknown.view()}), 0, 0.03F);
    EXPECT_FLOAT_EQ(lean(*model, {.attributes = unknown.view()}), lean(*model, {}));
}

TEST(Demographics, numbers_count_by_the_bin_they_fall_into) {
    auto made = town(80, 20, 2, 6);
    made.dataset.user_fields = data::Catalogue{80, {made.dataset.user_fields.fields().back()}};
    made.log.set_attributes(std::make_shared<data::AttributeTable>(made.dataset.user_fields));
    const auto model = fit("gaussian", made, {"dim=4", "demographics=true"});
    const data::Attributes young{{{"age", "24"}}};
    const data::Attributes old{{{"age", "99"}}};

    EXPECT_GT(lean(*model, {.attributes = young.view()}), 0.05F);
    EXPECT_LT(lean(*model, {.attributes = old.view()}), -0.05F);
}

TEST(Demographics, survive_saving_and_are_refused_without_fields) {
    const auto made = town(80, 20, 2, 6);
    const auto model = fit("gaussian", made, {"dim=4", "demographics=true"});
    const testing_support::TemporaryFolder folder;
    SafetensorsWriter writer;
    model->save(writer);
    writer.save(folder / "weights.safetensors");
    const auto weights = value_or_throw(SafetensorsFile::open(folder / "weights.safetensors"));
    const auto loaded = find_model("gaussian").load(weights, {});
    const data::Attributes odd{{{"side", "odd"}, {"age", "64"}}};

    EXPECT_FLOAT_EQ(
        lean(*loaded, {.attributes = odd.view()}), lean(*model, {.attributes = odd.view()})
    );

    auto nobody_known = town(80, 20, 2, 6);
    nobody_known.dataset.user_fields = {};
    EXPECT_THROW((void)fit("gaussian", nobody_known, {"demographics=true"}), Error);
}

/// Two shops of one service: what sells in one does not in the other.
TEST(Tenants, a_newcomer_starts_with_the_taste_of_their_tenant_and_clicks_move_them_from_there) {
    auto made = town(120, 20, 1, 6);
    auto field = made.dataset.user_fields.fields().front();
    field.name = "tenant";
    made.dataset.user_fields = data::Catalogue{120, {std::move(field)}};
    made.log.set_attributes(std::make_shared<data::AttributeTable>(made.dataset.user_fields));
    const auto model = fit("gaussian", made, {"dim=4", "segment_field=tenant"});
    const data::Attributes even{{{"tenant", "even"}}};
    const data::Attributes odd{{{"tenant", "odd"}}};
    const data::Attributes new_tenant{{{"tenant", "a third"}}};

    EXPECT_GT(lean(*model, {.attributes = even.view()}), 0.1F);
    EXPECT_LT(lean(*model, {.attributes = odd.view()}), -0.1F);
    EXPECT_FLOAT_EQ(lean(*model, {.attributes = new_tenant.view()}), lean(*model, {}))
        << "everybody's";
    data::HistoryBuffer clicks;
    clicks.set_attributes(even.view());
    for (const std::uint32_t item : {1U, 3U, 5U, 7U}) {
        clicks.add(ItemId{item});
    }
    EXPECT_LT(lean(*model, clicks.view()), lean(*model, {.attributes = even.view()}));
}

TEST(Calibration, finds_a_noise_that_ranks_no_worse_and_errors_that_are_expected) {
    const auto made = town(400, 40, 2, 16);
    SilentProgress progress;
    const auto context = context_of(made, progress);
    const auto chosen = calibrated(context, {.dim = 4});

    const auto space = fit_preference_space(context, {.dim = 4});
    // Squared errors of unseen cells against what the belief expects of them, on the same users.
    const auto prior = prior_in(space, context, chosen);
    double sum = 0;
    double n = 0;
    std::vector<float> scores(prior.n_items());
    for (std::uint32_t u = 0; u < 400; u += 4) {
        const auto history = made.log.history(UserId{u});
        auto belief = prior.start();
        for (std::size_t i = 0; i < 5; ++i) {
            prior.observe(belief, history.items[i].index(), 1.0F);
        }
        prior.score(belief, scores);
        for (std::uint32_t item = 0; item < prior.n_items(); ++item) {
            const auto known = history.items.first(5);
            if (std::ranges::find(known, ItemId{item}) != known.end()) {
                continue;
            }
            const bool is_liked =
                std::ranges::find(history.items, ItemId{item}) != history.items.end();
            const double error = (is_liked ? 1.0 : 0.0) - static_cast<double>(scores[item]);
            const double deviation = prior.uncertainty(belief, item);
            sum += error * error / (deviation * deviation + prior.parts().noise_variance);
            n += 1;
        }
    }
    EXPECT_GT(sum / n, 0.6);
    EXPECT_LT(sum / n, 1.6);
}

TEST(Calibration, what_is_set_stays_and_the_rest_is_chosen) {
    const auto made = town(400, 40, 2, 16);
    SilentProgress progress;
    const GaussianOptions given{.dim = 4, .noise_scale = 2000, .flat_share = 0.25};

    const auto chosen = calibrated(context_of(made, progress), given);
    const auto free = calibrated(context_of(made, progress), {.dim = 4});

    EXPECT_EQ(chosen.noise_scale, 2000);
    EXPECT_EQ(chosen.flat_share, 0.25);
    EXPECT_EQ(chosen.prior_scale, 1) << "it would change what the noise means";
    EXPECT_NE(free.prior_scale, 1);
}

TEST(Calibration, few_users_leave_the_options_as_they_are) {
    const auto made = town(30, 20, 2, 6);
    SilentProgress progress;

    const auto chosen = calibrated(context_of(made, progress), {.dim = 4, .noise_scale = 3});

    EXPECT_DOUBLE_EQ(chosen.noise_scale, 3);
    EXPECT_DOUBLE_EQ(chosen.prior_scale, 1);
}

TEST(Mixture, one_click_tells_the_kind_of_user_and_no_click_none) {
    const auto made = town(200, 20, 1, 6);
    for (const auto* clusters : {"clusters=k_means", "clusters=hierarchical"}) {
        const auto model =
            fit("gaussian_mixture",
                made,
                {"dim=4", "components=2", "shrinkage=0", "calibrate=false", clusters});
        data::HistoryBuffer click;
        click.add(ItemId{3});

        EXPECT_NEAR(lean(*model, {}), 0, 0.05F) << clusters;
        EXPECT_LT(lean(*model, click.view()), -0.15F) << clusters;
    }
}

TEST(Mixture, of_one_component_is_the_gaussian) {
    const auto made = town(100, 20, 1, 6);
    const auto mixture = fit("gaussian_mixture", made, {"dim=4", "components=1"});
    const auto single = fit("gaussian", made, {"dim=4"});
    data::HistoryBuffer clicks;
    clicks.add(ItemId{3});
    clicks.add(ItemId{4});
    Matrix<float> a(1, 20);
    Matrix<float> b(1, 20);

    mixture->score(std::array{clicks.view()}, a.view());
    single->score(std::array{clicks.view()}, b.view());

    for (std::size_t i = 0; i < 20; ++i) {
        EXPECT_NEAR(a(0, i), b(0, i), 1e-5);
    }
}

TEST(Evidence, is_the_log_density_of_the_textbook) {
    const GaussianPrior prior{{
        .item_vectors = Matrix<float>(1, 2, {1, 2}),
        .segments = {{"", {{0.5F, 0}, {1, 0, 0, 0.25F}}}},
        .noise_variance = 0.5F,
    }};

    // v'm = 0.5, v'Cv = 1 + 1 = 2, s2 = 0.5: log N(1; 0.5, 2.5).
    const double expected = -0.5 * (0.25 / 2.5 + std::log(2 * M_PI * 2.5));
    EXPECT_NEAR(prior.log_evidence(prior.start(), 0, 1.0F), expected, 1e-6);
}

TEST(NewItem, is_less_certain_and_its_event_teaches_less) {
    ContentMap map;
    map.weights = Matrix<float>(1, 2, {1, 0});
    map.offset = {0, 0};
    map.variance = {0.5F, 0.25F};
    const GaussianPrior known{{
        .item_vectors = Matrix<float>(1, 2, {1, 0}),
        .segments = {{"", {{2, 0}, {1, 0, 0, 1}}}},
        .noise_variance = 0.5F,
        .content_map = map,
    }};
    const std::vector<float> content{1};
    const auto prior = known.grown({content.data(), 1, 1});  // its place is (1, 0) too

    // m' r m + tr(r C) = 0.5 * 4 + 0.75 = 2.75.
    EXPECT_FLOAT_EQ(prior.uncertainty(prior.start(), 0), 1);
    EXPECT_NEAR(prior.uncertainty(prior.start(), 1), std::sqrt(1 + 2.75), 1e-6);
    auto from_old = prior.start();
    auto from_new = prior.start();
    prior.observe(from_old, 0, 1.0F);
    prior.observe(from_new, 1, 1.0F);
    EXPECT_NEAR(from_old.mean[0], 2 - 1 / 1.5, 1e-6);
    EXPECT_NEAR(from_new.mean[0], 2 - 1 / (1.5 + 2.75), 1e-6);
    EXPECT_NEAR(from_new.covariance[0], 1 - 1 / (1.5 + 2.75), 1e-6);
}

TEST(Clusters, three_clouds_are_found_by_both_methods) {
    Matrix<float> rows(90, 2);
    Rng rng{5};
    for (std::size_t i = 0; i < 90; ++i) {
        rows(i, 0) = static_cast<float>(i % 3) * 10 + static_cast<float>(rng.normal());
        rows(i, 1) = static_cast<float>(rng.normal());
    }
    for (const auto& label :
         {k_means(rows.view(), 3, Rng{2}), ward_clusters(rows.view(), 3, Rng{2})}) {
        for (std::size_t i = 0; i < 90; ++i) {
            EXPECT_EQ(label[i], i % 3);
        }
    }
}

TEST(Clusters, equal_rows_are_one_cluster) {
    const Matrix<float> rows(12, 3);

    EXPECT_THAT(k_means(rows.view(), 4, Rng{1}), testing::Each(0U));
    EXPECT_THAT(ward_clusters(rows.view(), 4, Rng{1}), testing::Each(0U));
}

}  // namespace
}  // namespace hg::train
