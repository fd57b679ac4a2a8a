// SPDX-License-Identifier: Apache-2.0
// Expected numbers: numpy 2.4 RandomState(12345), the calls in the order of the test.
#include "core/numpy_random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>

namespace hg {
namespace {

TEST(NumpyRandom, gives_the_numbers_of_numpys_random_state) {
    NumpyRandom random{12345};

    for (const double expected : {0.9296160928171479, 0.3163755545817859, 0.18391881167709445}) {
        EXPECT_EQ(random.uniform(), expected);
    }
    for (const double expected : {0.3161600083562148, -1.379198002097078, 0.4505544213927303}) {
        EXPECT_DOUBLE_EQ(random.normal(), expected);
    }
    for (const std::uint32_t expected : {7483, 6798, 6249, 3163, 6903}) {
        EXPECT_EQ(random.below(10'000), expected);
    }
    for (const std::uint32_t expected : {16, 18, 9, 11, 13}) {
        EXPECT_EQ(random.below(20), expected);
    }
    for (const std::size_t expected : {1, 1, 2, 1}) {
        EXPECT_EQ(random.choice(std::array{.2, .5, .3}), expected);
    }
}

TEST(NumpyRandom, starts_again_when_reseeded_with_no_normal_kept) {
    NumpyRandom random{1};
    (void)random.normal();

    random.reseed(12345);

    NumpyRandom fresh{12345};
    EXPECT_EQ(random.normal(), fresh.normal());
    EXPECT_THROW((void)random.below(0), std::logic_error);
}

}  // namespace
}  // namespace hg
