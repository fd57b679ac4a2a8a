// SPDX-License-Identifier: Apache-2.0
// als: what its defaults promise on catalogues of any size.
#include "core/options.hpp"
#include "support/fit_model.hpp"
#include "support/small_world.hpp"
#include "support/temporary_folder.hpp"
#include "train/model_entry.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hg::train {
namespace {

using testing_support::small_world;

/// The mean score of what a user has seen; 1 is what als is told to say.
double mean_of_seen(std::size_t n_items, const Settings& settings) {
    const auto world = small_world({.n_users = 200, .n_items = n_items, .events_per_user = 8});
    const auto model =
        testing_support::fit_model("als", world.dataset, world.dataset.log, settings);
    Matrix<float> scores(1, n_items);
    double sum = 0;
    std::size_t n = 0;
    for (std::uint32_t user = 0; user < 20; ++user) {
        const auto history = world.dataset.log.history(UserId{user});
        model->score({&history, 1}, scores.view());
        for (const auto item : history.items) {
            sum += scores(0, item.index());
            ++n;
        }
    }
    return sum / static_cast<double>(n);
}

TEST(Als, what_was_seen_is_not_shrunk_to_nothing_in_a_big_catalogue) {
    Settings fixed;
    fixed.set_assignment("unobserved_weight=0.1");

    EXPECT_GT(mean_of_seen(40, {}), 0.5);
    EXPECT_GT(mean_of_seen(20'000, {}), 0.5);
    EXPECT_LT(mean_of_seen(20'000, fixed), 0.3) << "why the weight follows the catalogue";
}

TEST(Als, a_log_without_anything_liked_gives_finite_scores) {
    auto world = small_world({.n_users = 4, .n_items = 6, .events_per_user = 2});
    const auto nothing = world.dataset.log.filter([](UserId, std::size_t) { return false; });
    const auto model = testing_support::fit_model("als", world.dataset, nothing);
    Matrix<float> scores(1, 6);
    const auto history = world.dataset.log.history(UserId{0});

    model->score({&history, 1}, scores.view());

    for (const float score : scores.values()) {
        EXPECT_TRUE(std::isfinite(score));
    }
}

TEST(Als, a_run_without_the_weight_it_was_fitted_with_is_refused) {
    const testing_support::TemporaryFolder folder;
    for (const double fitted : {0.0, -1.0}) {
        SafetensorsWriter weights;
        weights.add<float>("item_factors", Matrix<float>(3, 128).view());
        weights.add<float>("popularity", std::vector<float>(3));
        if (fitted != 0) {
            weights.add<double>("unobserved_weight", std::vector{fitted});
        }
        weights.save(folder / "weights.safetensors");
        const auto file = value_or_throw(SafetensorsFile::open(folder / "weights.safetensors"));
        EXPECT_THROW((void)find_model("als").load(file, {}), Error) << fitted;
        Settings told;  // as runs of before were saved
        told.set_assignment("unobserved_weight=0.1");
        if (fitted == 0) {
            EXPECT_EQ(find_model("als").load(file, told)->n_items(), 3U);
        }
    }
}

}  // namespace
}  // namespace hg::train
