// SPDX-License-Identifier: Apache-2.0
#include "encode/vector_cache.hpp"

#include "encode/catalogues.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace hg::encode {
namespace {

std::size_t n_files(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(
        std::filesystem::directory_iterator{folder}, std::filesystem::directory_iterator{}
    ));
}

TEST(VectorCache, finds_what_was_saved_by_text_and_model) {
    const TempFolder folder;
    VectorCache cache{folder.path(), "model-a", 2};
    cache.add("one", std::vector<float>{1, 2});
    cache.add("two", std::vector<float>{3, 4});
    cache.save();

    const VectorCache again{folder.path(), "model-a", 2};
    const VectorCache other{folder.path(), "model-b", 2};

    ASSERT_TRUE(again.find("two").has_value());
    EXPECT_TRUE(std::ranges::equal(*again.find("two"), std::vector<float>{3, 4}));
    EXPECT_FALSE(again.find("three").has_value());
    EXPECT_FALSE(other.find("one").has_value());
}

TEST(VectorCache, writes_only_what_is_new) {
    const TempFolder folder;
    VectorCache cache{folder.path(), "m", 1};
    cache.add("one", std::vector<float>{1});
    cache.save();
    cache.save();
    EXPECT_EQ(n_files(folder.path()), 1U);
    cache.add("two", std::vector<float>{2});
    cache.save();
    EXPECT_EQ(n_files(folder.path()), 2U);
}

TEST(VectorCache, joins_many_parts_into_one) {
    const TempFolder folder;
    for (int i = 0; i < 20; ++i) {
        VectorCache cache{folder.path(), "m", 1};
        cache.add(std::to_string(i), std::vector<float>{static_cast<float>(i)});
        cache.compact();
    }
    EXPECT_LT(n_files(folder.path()), 9U);
    EXPECT_EQ((VectorCache{folder.path(), "m", 1}.size()), 20U);
}

TEST(VectorCache, ignores_a_damaged_part) {
    const TempFolder folder;
    VectorCache cache{folder.path(), "m", 1};
    cache.add("one", std::vector<float>{1});
    cache.save();
    std::ofstream{folder.path() / "part-000001.safetensors"} << "not a safetensors file";

    const VectorCache again{folder.path(), "m", 1};

    EXPECT_TRUE(again.find("one").has_value());
    EXPECT_EQ(again.size(), 1U);
}

TEST(VectorCache, without_a_folder_keeps_nothing_on_disk) {
    VectorCache cache{{}, "m", 1};
    cache.add("one", std::vector<float>{1});
    cache.compact();
    EXPECT_TRUE(cache.find("one").has_value());
}

}  // namespace
}  // namespace hg::encode
