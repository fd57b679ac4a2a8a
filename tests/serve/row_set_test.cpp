// SPDX-License-Identifier: Apache-2.0
#include "serve/row_set.hpp"

#include "core/rng.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hg::serve {
namespace {

TEST(RowSet, equals_a_set) {
    Rng rng{3};
    for (int round = 0; round < 20; ++round) {
        RowSet rows;
        std::set<ItemRow> expected;
        const auto n = rng.below(600);
        for (std::size_t i = 0; i < n; ++i) {
            const auto row = static_cast<ItemRow>(rng.below(400));
            rows.insert(row);
            expected.insert(row);
        }
        EXPECT_EQ(rows.size(), expected.size());
        for (ItemRow row = 0; row < 400; ++row) {
            EXPECT_EQ(rows.contains(row), expected.contains(row));
        }
        rows.clear();
        EXPECT_EQ(rows.size(), 0U);
        EXPECT_FALSE(rows.contains(1));
    }
}

}  // namespace
}  // namespace hg::serve
