// SPDX-License-Identifier: Apache-2.0
// Gzip, JSON lines, times and rejected rows.
#include "data/cell.hpp"
#include "data/folder_fixture.hpp"
#include "data/json_lines.hpp"
#include "data/raw_dataset.hpp"
#include "data/text_file.hpp"
#include "data/time_text.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

TEST(Gzip, members_one_behind_the_other_are_joined) {
    const std::string big(300'000, 'x');

    EXPECT_EQ(inflate_gzip(gzipped("one ") + gzipped(big), "f").value(), "one " + big);
    EXPECT_EQ(inflate_gzip(gzipped(""), "f").value(), "");
}

TEST(Gzip, every_truncation_is_a_named_error) {
    const auto whole = gzipped("user_id,item_id\nu,a\nu,b\n");

    for (std::size_t n = 2; n < whole.size(); ++n) {
        const auto result = inflate_gzip(std::string_view{whole}.substr(0, n), "log.csv.gz");
        ASSERT_FALSE(result.has_value()) << n;
        EXPECT_EQ(result.error().code(), ErrorCode::corrupt);
        EXPECT_THAT(result.error().message(), HasSubstr("log.csv.gz"));
    }
}

class RawFolder : public FolderFixture {
  protected:
    RawDataset read_raw(std::size_t max_bad = 1000) {
        rejected.clear();
        auto sink = [this](const RejectedRow& row) { rejected.push_back(row); };
        return value_or_throw(read_raw_dataset(folder(), {.max_bad = max_bad, .on_rejected = sink})
        );
    }

    std::vector<RejectedRow> rejected;
};

TEST_F(RawFolder, gzip_and_a_byte_order_mark_are_seen_through) {
    write("interactions.csv.gz", gzipped("\xef\xbb\xbfuser_id,item_id\nu,a\n"));

    EXPECT_EQ(read_raw().data.log.size(), 1U);
}

TEST_F(RawFolder, a_bad_row_is_reported_with_file_line_found_and_expected) {
    write("interactions.csv", "user_id,item_id,rating\nu,a,4\nu,b,five\n");

    const auto raw = read_raw();

    ASSERT_EQ(rejected.size(), 1U);
    EXPECT_EQ(
        rejected[0].message,
        "interactions.csv:3: rating \"five\" is not a number; use 1-5 or drop the column"
    );
    EXPECT_EQ(rejected[0].text, "u,b,five");
    EXPECT_EQ(raw.report.reasons.at("rating is not a number"), 1U);
}

TEST_F(RawFolder, every_kind_of_bad_row_has_a_reason) {
    write(
        "interactions.csv",
        "user_id,item_id,event,timestamp,propensity\n"
        "u,a,click,881250949,0.5\n"
        "u,b,click,yesterday,0.5\n"
        "u,c,click,881250949,1.5\n"
        "u,d,click,,\n"
        ",d,click,881250949,\n"
        "u,,click,881250949,\n"
        "u,\xe9,click,881250949,\n"
        "u,d\n"
    );

    const auto raw = read_raw();

    EXPECT_EQ(raw.data.log.size(), 1U);
    EXPECT_THAT(
        raw.report.reasons,
        ElementsAre(
            std::pair{"broken row", 1},
            std::pair{"item_id is empty", 1},
            std::pair{"item_id is not UTF-8", 1},
            std::pair{"propensity is not a probability", 1},
            std::pair{"timestamp is missing", 1},
            std::pair{"timestamp is not a time", 1},
            std::pair{"user_id is empty", 1}
        )
    );
}

TEST_F(RawFolder, reading_stops_at_too_many_bad_rows) {
    write("interactions.csv", "user_id,item_id\n,a\n,b\n,c\nu,d\n");

    const auto result = read_raw_dataset(folder(), {.max_bad = 2});

    ASSERT_FALSE(result.has_value());
    EXPECT_THAT(result.error().what(), HasSubstr("3 bad rows, more than 2 allowed"));
}

TEST_F(RawFolder, a_file_without_any_usable_row_is_an_error) {
    write("interactions.csv", "user_id,item_id\n,a\n");

    EXPECT_FALSE(read_raw_dataset(folder()).has_value());
}

TEST_F(RawFolder, names_of_dislikes_and_skips_are_not_taken_for_likes) {
    write(
        "interactions.csv", "user_id,item_id,event\nu,a,dislike\nu,b,view\nu,c,skip\nu,d,purchase\n"
    );

    const auto raw = read_raw();

    EXPECT_THAT(raw.data.log.columns().weights, ElementsAre(-1.0F, 1.0F, 0.0F, 1.0F));
    EXPECT_GT(raw.data.event_types.at(0).weight, 0.0F);
}

TEST_F(RawFolder, broken_json_costs_its_line) {
    write(
        "interactions.jsonl",
        "{\"user_id\": 1, \"item_id\": 2}\nnot json\n[1]\n{\"user_id\": 1}\n{\"user_id\": 3, "
        "\"item_id\": 4} x\n"
        "{\"user_id\": 18446744073709551615, \"item_id\": true}"
    );

    const auto raw = read_raw();

    EXPECT_EQ(raw.data.log.size(), 2U);
    EXPECT_EQ(rejected.size(), 4U);
    EXPECT_EQ(raw.data.users.name(1), "18446744073709551615");
}

TEST_F(RawFolder, columns_are_typed_by_name_and_by_looking) {
    write("interactions.csv", "user_id,item_id\nu,1\n");
    write(
        "items.csv",
        "movieId,Title,genres,year,zip,studio,poster,notes,empty\n"
        "1,NaN,a|b,1995,02139,X,http://x/1.jpg,a long story,\n"
        "2,Two,b,N/A,10115,X,,another story,\n"
        "3,Three,,2001,10117,X,http://x/3.jpg,third story,\n"
    );

    const auto data = read_raw().data;
    const auto kind = [&](std::string_view name) { return data.item_fields.find(name)->kind; };

    EXPECT_EQ(data.item_fields.title(0), "NaN");
    EXPECT_EQ(kind("genres"), FieldKind::categories);
    EXPECT_EQ(kind("year"), FieldKind::number);
    EXPECT_EQ(kind("zip"), FieldKind::text);
    EXPECT_EQ(kind("studio"), FieldKind::category);
    EXPECT_EQ(kind("poster"), FieldKind::link);
    EXPECT_EQ(kind("notes"), FieldKind::text);
    EXPECT_THAT(data.item_fields.find("year")->present, ElementsAre(1, 0, 1));
    EXPECT_EQ(data.item_fields.find("empty"), nullptr);
}

TEST_F(RawFolder, a_stray_word_among_years_is_missing_and_the_rest_stay_numbers) {
    write("interactions.csv", "user_id,item_id\nu,0\n");
    std::string items = "item_id,year\n0,unknown\n";
    for (int i = 1; i < 30; ++i) {
        items += fmt::format("{},{}\n", i, 1970 + i);
    }
    write("items.csv", items);

    const auto data = read_raw().data;
    const auto* year = data.item_fields.find("year");

    EXPECT_EQ(year->kind, FieldKind::number);
    EXPECT_EQ(year->present.at(0), 0);
    EXPECT_EQ(year->numbers.at(1), 1971.0F);
}

TEST_F(RawFolder, the_configuration_decides_the_kind_of_a_field) {
    write("interactions.csv", "user_id,item_id\nu,1\n");
    write("items.csv", "code,year,mood\n1,1995,dark;slow\n");
    write(
        "dataset.toml",
        "[items]\nid = \"code\"\n[items.fields]\nyear = \"category\"\nmood = \"categories\"\n"
    );

    const auto data = read_raw().data;

    EXPECT_EQ(data.item_fields.find("year")->kind, FieldKind::category);
    EXPECT_EQ(data.item_fields.find("mood")->text(0), "dark|slow");
}

TEST_F(RawFolder, time_none_ignores_the_column) {
    write("interactions.csv", "user_id,item_id,timestamp\nu,a,9\nu,b,soon\n");
    write("dataset.toml", "time = \"none\"\n");

    const auto data = read_raw().data;

    EXPECT_EQ(data.time_kind, TimeKind::none);
    EXPECT_EQ(data.items.name(data.log.history(UserId{0}).items[1].value), "b");
}

TEST_F(RawFolder, the_unit_of_time_may_be_declared) {
    write("interactions.csv", "user_id,item_id,timestamp\nu,a,5000000\n");
    write("dataset.toml", "time = \"real\"\ntime_unit = \"us\"\n");

    EXPECT_EQ(read_raw().data.log.columns().times[0], 5000);
}

TEST_F(RawFolder, milliseconds_and_microseconds_are_told_by_size) {
    for (const auto* stamp :
         {"881250949", "881250949000", "881250949000000", "881250949000000000"}) {
        write("interactions.csv", std::string{"user_id,item_id,timestamp\nu,a,"} + stamp + "\n");
        EXPECT_EQ(read_raw().data.log.columns().times[0], 881'250'949'000) << stamp;
    }
}

TEST_F(RawFolder, a_wrong_configuration_is_refused_with_its_place) {
    write("interactions.csv", "user_id,item_id\nu,a\n");
    const auto error_for = [&](std::string_view toml) {
        write("dataset.toml", toml);
        const auto result = read_raw_dataset(folder());
        return result ? std::string{"no error"} : std::string{result.error().what()};
    };

    EXPECT_THAT(error_for("time = \"reel\"\n"), HasSubstr("dataset.toml:1:8: time"));
    EXPECT_THAT(error_for("repeats = 1\n"), HasSubstr("true or false"));
    EXPECT_THAT(error_for("[rating]\nbelow = 2\n"), HasSubstr("0 or a negative weight"));
    EXPECT_THAT(
        error_for("[columns]\nuser = \"who\"\n"), HasSubstr("column \"who\", which is not there")
    );
    EXPECT_THAT(error_for("[events\n"), HasSubstr("dataset.toml:1:"));
    EXPECT_THAT(error_for("columns = 3\n"), HasSubstr("a table, [columns]"));
}

TEST(Times, iso_8601_and_its_relatives_parse) {
    EXPECT_EQ(parse_iso_time("1970-01-02"), 86'400'000);
    EXPECT_EQ(parse_iso_time("2019-11-24 00:00:17.004101+00:00"), 1'574'553'617'004);
    EXPECT_EQ(parse_iso_time("1970-01-01T02:00:00+0200"), 0);
    EXPECT_EQ(parse_iso_time("1970-01-01T00:00Z"), 0);
    EXPECT_EQ(format_time(1'574'553'617'004), "2019-11-24 00:00:17");
}

TEST(Times, what_is_not_a_date_is_refused) {
    for (const auto* text :
         {"",
          "2024",
          "2024-13-01",
          "2023-02-29",
          "2024-01-01T25:00",
          "12/1/2010 8:26",
          "2024-01-01x"}) {
        EXPECT_FALSE(parse_iso_time(text).has_value()) << text;
    }
}

TEST(Numbers, only_whole_finite_numbers_count) {
    EXPECT_EQ(parse_number(" 12 "), 12.0);
    EXPECT_EQ(parse_number("+1.5e2"), 150.0);
    for (const auto* text : {"", "1,5", "12x", "inf", "nan", "0x10", "--1"}) {
        EXPECT_FALSE(parse_number(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace hg::data
