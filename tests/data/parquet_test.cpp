// SPDX-License-Identifier: Apache-2.0
// Parquet: the files that tests/data/make_parquet.py wrote with pyarrow, whole and damaged.
#include "data/folder_fixture.hpp"
#include "data/ingest.hpp"
#include "data/parquet_rows.hpp"
#include "data/raw_dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::filesystem::path samples = std::filesystem::path{HG_SOURCE_DIR} / "fuzz/corpus/parquet";

class Parquet : public FolderFixture {
  protected:
    void SetUp() override {
        if (!has_parquet()) {
            GTEST_SKIP() << "built without Parquet";
        }
        for (const auto* const name : {"interactions.parquet", "items.parquet"}) {
            std::filesystem::copy_file(samples / name, folder() / name);
        }
    }
};

TEST_F(Parquet, is_read_like_any_table) {
    const auto raw = value_or_throw(read_raw_dataset(folder()));

    const auto& data = raw.data;
    EXPECT_EQ(data.log.size(), 3U);
    EXPECT_THAT(data.items.names(), ElementsAre("10", "11", "12"));
    EXPECT_EQ(data.time_kind, TimeKind::real);
    const auto first = data.log.history(UserId{0});
    EXPECT_THAT(first.times, ElementsAre(1709296205250 - 30000LL * 86'400'000, 1709296205250));
    EXPECT_EQ(data.log.columns().values[1], 4.5F);
    EXPECT_EQ(data.event_types.size(), 2U);
    EXPECT_EQ(raw.report.reasons.at("user_id is empty"), 1U);
    EXPECT_EQ(raw.report.reasons.at("timestamp is missing"), 1U);
    EXPECT_THAT(raw.report.examples.front(), HasSubstr("interactions.parquet:4: user_id is empty"));
}

TEST_F(Parquet, values_of_every_type_become_fields) {
    const auto data = value_or_throw(read_raw_dataset(folder())).data;

    const auto shown = [&](std::string_view name) {
        std::vector<std::string> values;
        const auto* const field = data.item_fields.find(name);
        for (std::size_t row = 0; field != nullptr && row < data.items.size(); ++row) {
            values.push_back(field->text(row));
        }
        return values;
    };
    EXPECT_THAT(shown("title"), ElementsAre("Teapot", "Caf\xc3\xa9 cup", ""));
    EXPECT_THAT(shown("genres"), ElementsAre("kitchen|tea", "", ""));
    EXPECT_THAT(shown("price"), ElementsAre("12.5", "3", ""));
    EXPECT_THAT(shown("year"), ElementsAre("1999", "2001", ""));
    EXPECT_THAT(shown("weight"), ElementsAre("1.25", "", "3"));
    EXPECT_THAT(shown("fragile"), ElementsAre("true", "false", ""));
    EXPECT_THAT(shown("stars"), ElementsAre("1", "-2", ""));
    EXPECT_THAT(shown("added"), ElementsAre("2024-03-01", "", "1969-12-31"));
    EXPECT_EQ(data.item_fields.find("size"), nullptr) << "a struct is no cell";
}

TEST_F(Parquet, a_table_without_rows_has_its_columns) {
    const auto rows = value_or_throw(open_parquet(samples / "empty.parquet"));

    EXPECT_EQ(rows->columns().front(), "item_id");
    Row row;
    EXPECT_FALSE(rows->next(row));
}

TEST_F(Parquet, every_cut_of_a_file_is_a_named_error) {
    const auto whole = read("items.parquet");
    for (std::size_t n = 0; n < whole.size(); n += 13) {
        write("items.parquet", std::string_view{whole}.substr(0, n));

        const auto result = read_raw_dataset(folder());

        ASSERT_FALSE(result) << "cut at " << n;
        EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
        EXPECT_THAT(result.error().what(), HasSubstr("items.parquet: not a whole Parquet file"));
    }
}

TEST_F(Parquet, a_damaged_page_is_a_rejected_row_and_what_stands_above_stays) {
    auto bytes = read("interactions.parquet");
    for (std::size_t at = 4; at < bytes.size() / 3; ++at) {
        bytes[at] = static_cast<char>(bytes[at] ^ 0x5A);
    }
    write("interactions.parquet", bytes);

    const auto result = read_raw_dataset(folder());

    ASSERT_FALSE(result) << "no row is left";
    EXPECT_THAT(result.error().what(), HasSubstr("interactions.parquet"));
}

TEST(ParquetBuild, one_without_it_says_how_to_get_it) {
    if (has_parquet()) {
        GTEST_SKIP() << "built with Parquet";
    }
    const auto result = open_parquet("x.parquet");

    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().what(), HasSubstr("make deps"));
}

}  // namespace
}  // namespace hg::data
