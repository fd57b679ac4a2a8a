// SPDX-License-Identifier: Apache-2.0
#include "core/safetensors.hpp"

#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <vector>

namespace hg {
namespace {

using testing::ElementsAre;
using testing_support::TemporaryFolder;

/// A file of this header and so many bytes of data.
std::vector<std::byte> file_of(const std::string& header, std::size_t data_bytes) {
    std::vector<std::byte> bytes(8 + header.size() + data_bytes);
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, 8);
    std::memcpy(bytes.data() + 8, header.data(), header.size());
    return bytes;
}

std::string refusal(const std::vector<std::byte>& bytes) {
    const auto parsed = SafetensorsFile::parse(bytes, "weights");
    return parsed ? "accepted" : parsed.error().message();
}

TEST(Safetensors, what_is_written_is_read) {
    const TemporaryFolder folder;
    Matrix<float> matrix(2, 3, {1, 2, 3, 4, 5, 6});
    const std::array<std::int64_t, 2> numbers{-1, 1LL << 40};
    const std::vector<std::string> names{"", "tent", "茶壶"};
    SafetensorsWriter writer;
    writer.add("m", std::as_const(matrix).view());
    writer.add<std::int64_t>("n", numbers);
    writer.add_strings("names", names);
    writer.add_metadata("model", "ease");
    writer.save(folder / "x.safetensors");

    const auto file = value_or_throw(SafetensorsFile::open(folder / "x.safetensors"));

    EXPECT_THAT(value_or_throw(file.values<float>("m")), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_EQ(value_or_throw(file.matrix<float>("m")).rows(), 2U);
    EXPECT_THAT(value_or_throw(file.values<std::int64_t>("n")), ElementsAre(-1, 1LL << 40));
    EXPECT_THAT(value_or_throw(file.strings("names")), ElementsAre("", "tent", "茶壶"));
    EXPECT_EQ(file.metadata().at("model"), "ease");
}

TEST(Safetensors, sections_nest_writers_and_readers) {
    const TemporaryFolder folder;
    const std::array<float, 1> one{1};
    SafetensorsWriter inner;
    inner.add<float>("w", one);
    SafetensorsWriter outer;
    outer.add_all("ease/", std::move(inner));
    outer.save(folder / "x.safetensors");

    const auto file = value_or_throw(SafetensorsFile::open(folder / "x.safetensors"));

    EXPECT_THAT(value_or_throw(file.section("ease/").values<float>("w")), ElementsAre(1));
    EXPECT_FALSE(file.section("als/").contains("w"));
}

TEST(Safetensors, a_wrong_type_rank_or_name_says_what_is_there) {
    const TemporaryFolder folder;
    const std::array<float, 2> two{1, 2};
    SafetensorsWriter writer;
    writer.add<float>("w", two);
    writer.save(folder / "x.safetensors");
    const auto file = value_or_throw(SafetensorsFile::open(folder / "x.safetensors"));

    EXPECT_THAT(file.values<double>("w").error().message(), testing::HasSubstr("w"));
    EXPECT_FALSE(file.matrix<float>("w"));
    EXPECT_FALSE(file.tensor("v"));
}

TEST(Safetensors, hostile_sizes_are_refused_before_anything_is_allocated) {
    const std::array headers{
        R"({"w":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,4]}})",
        R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})",
        R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,400]}})",
        R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})",
        R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})",
        R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
        R"({"w":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})",
        R"({"w":{"dtype":"F32","shape":"one","data_offsets":[0,4]}})",
        R"({"w":7})",
        R"([1,2])",
        R"({"w":)",
        "",
    };
    for (const std::string header : headers) {
        EXPECT_NE(refusal(file_of(header, 4)), "accepted") << header;
    }
}

TEST(Safetensors, a_file_cut_anywhere_is_refused_by_name) {
    const auto whole = file_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4);
    ASSERT_EQ(refusal(whole), "accepted");

    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::vector<std::byte> part{
            whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)
        };
        EXPECT_THAT(refusal(part), testing::HasSubstr("weights")) << size;
    }
}

TEST(Safetensors, a_header_longer_than_the_file_is_refused) {
    std::vector<std::byte> bytes(16, std::byte{0xff});

    EXPECT_NE(refusal(bytes), "accepted");
}

}  // namespace
}  // namespace hg
