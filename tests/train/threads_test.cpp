// SPDX-License-Identifier: Apache-2.0
#include "train/threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <vector>

namespace hg::train {
namespace {

TEST(ParallelBlocks, visits_every_index_once) {
    set_threads(3);
    std::vector<int> visits(1000, 0);

    parallel_blocks(visits.size(), 7, [&](std::size_t begin, std::size_t end) {
        for (auto i = begin; i < end; ++i) {
            ++visits[i];
        }
    });

    EXPECT_THAT(visits, testing::Each(1));
}

TEST(ParallelBlocks, hands_an_exception_to_the_caller) {
    set_threads(2);
    const auto work = [](std::size_t begin, std::size_t /*end*/) {
        if (begin == 50) {
            throw std::runtime_error{"block 50"};
        }
    };

    EXPECT_THROW(parallel_blocks(100, 10, work), std::runtime_error);
}

TEST(ParallelBlocks, has_nothing_to_do_for_an_empty_range) {
    EXPECT_NO_THROW(parallel_blocks(0, 8, [](std::size_t, std::size_t) { FAIL(); }));
}

}  // namespace
}  // namespace hg::train
