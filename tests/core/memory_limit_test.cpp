// SPDX-License-Identifier: Apache-2.0
#include "core/memory_limit.hpp"

#include "core/file.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hg {
namespace {

TEST(MemoryLimit, is_half_of_the_machine_where_no_group_says_less) {
    const testing_support::TemporaryFolder root;
    const double machine = memory_limit_bytes(root / "nothing");

    EXPECT_GT(machine, 1e8);
    write_file_atomic(root / "proc/self/cgroup", "0::/\n");
    write_file_atomic(root / "sys/fs/cgroup/memory.max", "max\n");
    EXPECT_EQ(memory_limit_bytes(root / ""), machine);
}

TEST(MemoryLimit, is_half_of_the_least_of_a_group_and_those_it_is_in) {
    const testing_support::TemporaryFolder root;
    write_file_atomic(root / "proc/self/cgroup", "0::/pod/container\n");
    write_file_atomic(root / "sys/fs/cgroup/pod/container/memory.max", "max\n");
    write_file_atomic(root / "sys/fs/cgroup/pod/memory.max", "4096\n");
    EXPECT_EQ(memory_limit_bytes(root / ""), 2048);

    write_file_atomic(root / "sys/fs/cgroup/memory.max", "1024\n");
    EXPECT_EQ(memory_limit_bytes(root / ""), 512) << "all that a container sees is the top";
}

TEST(MemoryLimit, knows_groups_of_the_first_version) {
    const testing_support::TemporaryFolder root;
    write_file_atomic(root / "proc/self/cgroup", "5:cpu:/a\n4:memory:/a/b\nnonsense\n");
    write_file_atomic(root / "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "8192\n");
    write_file_atomic(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    EXPECT_EQ(memory_limit_bytes(root / ""), 4096);
}

TEST(MemoryLimit, a_refusal_says_what_is_needed_what_there_is_and_what_to_do) {
    EXPECT_NO_THROW(check_memory({.what = "rows", .bytes = 1e9, .limit_bytes = 1e9}));
    try {
        check_memory({.what = "m: 7 rows", .bytes = 2e9, .limit_bytes = 1e9, .hint = "take six"});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::exhausted);
        EXPECT_EQ(error.message(), "m: 7 rows need 2.0 GB, the limit is 1.0 GB");
        EXPECT_EQ(error.hint(), "take six");
    }
}

}  // namespace
}  // namespace hg
