// SPDX-License-Identifier: Apache-2.0
#include "core/version_name.hpp"

#include <gtest/gtest.h>

namespace hg {
namespace {

TEST(VersionName, is_the_folder_and_twelve_digits) {
    EXPECT_EQ(version_name("runs/meta", "0123456789abcdef"), "meta@0123456789ab");
    EXPECT_EQ(version_name("runs/meta/", "0123456789abcdef"), "meta@0123456789ab");
}

TEST(VersionName, holds_nothing_that_ends_a_version_in_a_log) {
    EXPECT_EQ(version_name("my run(2),x", "0123456789abcdef"), "my_run_2__x@0123456789ab");
}

}  // namespace
}  // namespace hg
