// SPDX-License-Identifier: Apache-2.0
#include "simulate/learned/label_world.hpp"

#include "data/split.hpp"
#include "support/small_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hg::simulate {
namespace {

const LabelWorldOptions judged{
    .users = "judge", .items = 30, .dim = 4, .step_limit = 5, .min_liked = 3, .judged_share = 0.4
};

Labels labels_of(const data::Dataset& dataset, const LabelWorldOptions& options) {
    SilentProgress silent;
    return make_labels(dataset, options, silent, {});
}

TEST(LabelWorld, a_click_is_what_the_user_liked_and_shown_items_are_gone) {
    const auto world = testing_support::small_world();
    const auto labels = std::make_shared<const Labels>(labels_of(world.dataset, judged));
    const auto label_world = make_label_world(labels, judged);
    label_world->reset(3);
    std::vector<std::uint32_t> shown;
    double clicks = 0;
    for (int t = 0; t < 5; ++t) {
        const auto seen = label_world->observe();
        for (const auto id : seen.item_ids) {
            EXPECT_EQ(std::ranges::count(shown, id), 0);
        }
        shown.push_back(seen.item_ids[0]);
        const std::vector<std::uint32_t> slate{0};
        const auto step = label_world->step(slate);
        clicks += step.reward;
        EXPECT_EQ(step.truncated, t == 4);
    }
    // The five most liked items, one after the other: the clicks are those of one user's likes.
    const bool is_somebodys = std::ranges::any_of(labels->liked, [&](const auto& liked) {
        return clicks == static_cast<double>(std::ranges::count_if(shown, [&](auto item) {
                   return std::ranges::binary_search(liked, item);
               }));
    });
    EXPECT_TRUE(is_somebodys);
}

TEST(LabelWorld, nothing_of_a_judged_user_is_in_the_features_of_items) {
    auto options = judged;
    const auto world = testing_support::small_world();
    const auto all = labels_of(world.dataset, options);
    options.users = "learn";
    const auto learners = labels_of(world.dataset, options);

    // Half of what the judged users liked is forgotten: the features stay.
    auto changed = world.dataset;
    const auto is_judged = [&](UserId user) {
        return std::ranges::find(all.users, user.value) != all.users.end();
    };
    changed.log = world.dataset.log.filter([&](UserId user, std::size_t event) {
        return !is_judged(user) || event % 2 == 0;
    });
    auto lenient = options;
    lenient.min_liked = 1;
    const auto after = labels_of(changed, lenient);

    EXPECT_EQ(all.item_names, learners.item_names);
    EXPECT_EQ(after.item_names, learners.item_names);
    EXPECT_TRUE(std::ranges::equal(after.vectors.values(), learners.vectors.values()));
    EXPECT_LT(changed.log.size(), world.dataset.log.size());
}

TEST(LabelWorld, too_few_likes_are_refused_with_the_option_to_change) {
    auto options = judged;
    options.min_liked = 1000;
    try {
        (void)labels_of(testing_support::small_world().dataset, options);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("min_liked"), std::string::npos);
    }
}

}  // namespace
}  // namespace hg::simulate
