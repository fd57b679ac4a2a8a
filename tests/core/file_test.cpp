// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"

#include "core/digest.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>

namespace hg {
namespace {

namespace fs = std::filesystem;
using testing_support::TemporaryFolder;

TEST(File, an_atomic_write_makes_its_folders_and_replaces_the_old_content) {
    const TemporaryFolder folder;
    const auto path = folder / "a/b/c.txt";
    write_file_atomic(path, "old");
    write_file_atomic(path, "new");

    EXPECT_EQ(value_or_throw(read_file(path)), "new");
    EXPECT_EQ(std::distance(fs::directory_iterator{path.parent_path()}, {}), 1) << "nothing beside";
}

TEST(File, a_write_that_fails_half_way_leaves_the_old_content) {
    const TemporaryFolder folder;
    const auto path = folder / "c.txt";
    write_file_atomic(path, "old");

    EXPECT_ANY_THROW(write_file_atomic(path, [](std::ostream& out) {
        out << "half";
        throw std::runtime_error{"power"};
    }));

    EXPECT_EQ(value_or_throw(read_file(path)), "old");
    EXPECT_EQ(std::distance(fs::directory_iterator{folder.path()}, {}), 1) << "nothing beside";
}

TEST(File, a_link_is_followed_and_stays_a_link) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "target", "old");
    fs::create_symlink(folder / "target", folder / "link");

    write_file_atomic(folder / "link", "new");

    EXPECT_TRUE(fs::is_symlink(folder / "link"));
    EXPECT_EQ(value_or_throw(read_file(folder / "target")), "new");
}

TEST(File, a_pipe_is_written_to_and_stays_a_pipe) {
    const TemporaryFolder folder;
    const auto pipe = folder / "pipe";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::string read;
    {
        const std::jthread reader{[&] { std::getline(std::ifstream{pipe}, read); }};
        write_file_atomic(pipe, "through");
    }

    EXPECT_EQ(read, "through");
    EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST(File, what_is_not_there_is_named) {
    const TemporaryFolder folder;

    EXPECT_THAT(read_file(folder / "x").error().message(), testing::HasSubstr("x"));
    EXPECT_FALSE(MappedFile::open(folder / "x"));
    EXPECT_FALSE(read_file(folder.path())) << "a folder is no file";
}

TEST(File, an_empty_file_is_mapped_as_nothing) {
    const TemporaryFolder folder;
    write_file_atomic(folder / "empty", "");

    EXPECT_TRUE(value_or_throw(MappedFile::open(folder / "empty")).bytes().empty());
}

TEST(Digest, is_blake2b_256_and_does_not_care_how_bytes_arrive) {
    // The vector of RFC 7693's algorithm for "abc" with a 32-byte digest.
    const auto abc = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
    Digest parts;
    parts.update("a");
    parts.update("");
    parts.update("bc");

    EXPECT_EQ(digest_hex("abc"), abc);
    EXPECT_EQ(parts.hex(), abc);
}

}  // namespace
}  // namespace hg
