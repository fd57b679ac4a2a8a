// SPDX-License-Identifier: Apache-2.0
#include "train/pair_memory.hpp"

#include "core/memory_limit.hpp"
#include "support/small_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg::train {
namespace {

using ::testing::HasSubstr;

Csr users_of(std::size_t n_users, std::size_t n_items) {
    const auto world = testing_support::small_world(
        {.n_users = n_users, .n_items = n_items, .n_groups = 5, .events_per_user = 12}
    );
    return positive_pairs(world.dataset.log);
}

double exact_pairs(const Csr& users, std::size_t most_per_item = 0) {
    std::size_t pairs = 0;
    for_each_cooccurrence_row(users, [&](ItemId /*item*/, std::span<const Neighbour> others) {
        pairs += most_per_item == 0 ? others.size() : std::min(others.size(), most_per_item);
    });
    return static_cast<double>(pairs);
}

TEST(PairMemory, the_estimate_is_near_the_count) {
    const auto users = users_of(2000, 800);

    EXPECT_NEAR(estimate_pairs(users) / exact_pairs(users), 1, 0.1);
    EXPECT_NEAR(estimate_pairs(users, 20) / exact_pairs(users, 20), 1, 0.2);
}

TEST(PairMemory, nobody_with_two_items_makes_no_pairs) {
    EXPECT_EQ(
        estimate_pairs(Csr{.offsets = {0, 1, 2}, .indices = {0, 1}, .values = {1, 1}, .n_cols = 2}),
        0
    );
    EXPECT_EQ(estimate_pairs(Csr{}), 0);
}

TEST(PairMemory, too_many_are_refused_with_what_they_need_what_there_is_and_what_to_do) {
    const auto users = users_of(200, 100);

    try {
        check_pairs_fit(
            {.model = "item_knn", .users = users, .limit_bytes = 1000, .hint = "use als"}
        );
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::exhausted);
        EXPECT_THAT(
            error.message(), HasSubstr("pairs of 100 items need 0.0 GB, the limit is 0.0 GB")
        );
        EXPECT_EQ(error.hint(), "use als");
    }
    EXPECT_NO_THROW(
        check_pairs_fit({.model = "item_knn", .users = users, .limit_bytes = memory_limit_bytes()})
    );
}

}  // namespace
}  // namespace hg::train
