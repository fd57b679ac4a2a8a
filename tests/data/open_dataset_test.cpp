// SPDX-License-Identifier: Apache-2.0
#include "data/dataset.hpp"
#include "data/folder_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Dataset opened(const std::filesystem::path& folder) {
    return value_or_throw(open_dataset(folder));
}

std::vector<std::string> item_names(const Dataset& data, std::uint32_t user) {
    std::vector<std::string> names;
    for (const auto item : data.log.history(UserId{user}).items) {
        names.push_back(data.items.name(item.value));
    }
    return names;
}

std::string error_of(const std::filesystem::path& folder) {
    const auto result = open_dataset(folder);
    return result ? "no error" : result.error().what();
}

class OpenDataset : public FolderFixture {};

TEST_F(OpenDataset, equal_timestamps_keep_file_order) {
    write(
        "interactions.csv", "user_id,item_id,rating,timestamp\nu,a,5,7\nu,b,4,7\nu,c,3,2\nu,d,3,7\n"
    );

    const auto data = opened(folder());

    EXPECT_THAT(item_names(data, 0), ElementsAre("c", "a", "b", "d"));
    EXPECT_EQ(data.time_kind, TimeKind::order);
}

TEST_F(OpenDataset, without_configuration_every_event_weighs_one_and_repeats_stay) {
    write("interactions.csv", "user_id,item_id,rating\nu,a,1\nu,a,5\nv,b,\n");

    const auto data = opened(folder());

    EXPECT_EQ(data.log.size(), 3U);
    EXPECT_THAT(data.log.columns().weights, testing::Each(1.0F));
    EXPECT_EQ(data.time_kind, TimeKind::none);
    EXPECT_TRUE(std::isnan(data.log.columns().values[2]));
}

TEST_F(OpenDataset, epoch_seconds_become_milliseconds) {
    write("interactions.csv", "userId,movieId,rating,timestamp\n1,2,3,881250949\n");

    const auto data = opened(folder());

    EXPECT_EQ(data.time_kind, TimeKind::real);
    EXPECT_EQ(data.log.columns().times[0], 881250949000);
}

TEST_F(OpenDataset, iso_dates_are_real_times) {
    write(
        "interactions.csv",
        "user,item,date\nu,a,1970-01-02T00:00:01Z\nu,b,1970-01-01 01:00:00.5+01:00\n"
    );

    const auto data = opened(folder());

    EXPECT_EQ(data.time_kind, TimeKind::real);
    EXPECT_THAT(data.log.columns().times, ElementsAre(500, 86'401'000));
}

TEST_F(OpenDataset, recbole_atomic_files_are_read) {
    write(
        "ml.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t10\t3\t881250949\n"
    );
    write(
        "ml.item",
        "item_id:token\tmovie_title:token_seq\tclass:token_seq\n10\tToy \"Story\tAnimation Comedy\n"
    );
    write("ml.user", "user_id:token\tage:token\n1\t24\n");

    const auto data = opened(folder());

    EXPECT_EQ(data.item_fields.title(0), "Toy \"Story");
    EXPECT_EQ(data.item_fields.find("class")->kind, FieldKind::categories);
    EXPECT_EQ(data.item_fields.find("class")->text(0), "Animation|Comedy");
    EXPECT_EQ(data.user_fields.find("age")->numbers.at(0), 24.0F);
}

TEST_F(OpenDataset, json_lines_are_read) {
    write(
        "interactions.jsonl",
        "{\"user_id\":1,\"item_id\":\"a\",\"timestamp\":5}\n\n{\"item_id\":\"b\",\"user_id\":1}\n"
    );
    write(
        "items.jsonl",
        "{\"item_id\":\"a\",\"title\":\"A\",\"tags\":[\"x\",\"y z\"],\"price\":2.5}\n"
    );

    const auto data = opened(folder());

    EXPECT_EQ(data.users.name(0), "1");
    EXPECT_EQ(data.item_fields.find("tags")->text(0), "x|y z");
    EXPECT_EQ(data.item_fields.find("price")->numbers.at(0), 2.5F);
}

TEST_F(OpenDataset, items_nobody_touched_are_in_the_catalogue) {
    write("interactions.csv", "user_id,item_id\nu,a\n");
    write("items.csv", "item_id,title,genres\nnew,\"New, and \"\"quoted\"\"\",x|y\na,Old,x\n");

    const auto data = opened(folder());

    ASSERT_EQ(data.items.size(), 2U);
    EXPECT_EQ(data.item_fields.title(*data.items.find("new")), "New, and \"quoted\"");
    EXPECT_EQ(data.log.n_items(), 2U);
}

TEST_F(OpenDataset, a_bad_row_is_skipped) {
    write("interactions.csv", "user_id,item_id,rating\nu,a,five\nu,b,4\n,c,4\n");

    EXPECT_THAT(item_names(opened(folder()), 0), ElementsAre("b"));
}

TEST_F(OpenDataset, an_empty_folder_says_what_is_expected) {
    EXPECT_THAT(error_of(folder()), HasSubstr("expected interactions.csv"));
}

TEST_F(OpenDataset, a_missing_column_says_what_was_found) {
    write("interactions.csv", "usr,item_id\nu,a\n");

    EXPECT_THAT(error_of(folder()), HasSubstr("no user column; found usr, item_id"));
}

TEST_F(OpenDataset, files_of_one_kind_are_merged) {
    write("interactions_2024.csv", "user_id,item_id\nu,a\n");
    write("interactions_2025.tsv", "user_id\titem_id\nu\tb\n");

    EXPECT_THAT(item_names(opened(folder()), 0), ElementsAre("a", "b"));
}

TEST_F(OpenDataset, the_configuration_maps_columns_weighs_events_and_sets_a_threshold) {
    write("interactions.csv", "who,what,how,stars\nu,a,buy,5\nu,b,view,5\nu,c,buy,2\nu,d,hate,5\n");
    write(
        "dataset.toml",
        "name = \"shop\"\nrepeats = true\n[columns]\nuser = \"who\"\nitem = \"what\"\nevent = "
        "\"how\"\n"
        "value = \"stars\"\n[events]\nnegative = [\"hate\"]\n[events.weights]\nbuy = 3\n"
        "[rating]\nthreshold = 4\nbelow = -1\n"
    );

    const auto data = opened(folder());

    EXPECT_EQ(data.name, "shop");
    EXPECT_TRUE(data.repeats_count);
    EXPECT_THAT(data.log.columns().weights, ElementsAre(3.0F, 1.0F, -1.0F, -1.0F));
}

TEST_F(OpenDataset, purchases_are_known_by_name_or_listed) {
    write("interactions.csv", "user_id,item_id,event\nu,a,view\nu,a,Buy\nu,a,subscribe\n");
    const auto is_purchase = [&](std::string_view type) {
        const auto data = opened(folder());
        return data.event_types.at(data.event_type(type).index()).is_purchase;
    };

    EXPECT_FALSE(is_purchase("view"));
    EXPECT_TRUE(is_purchase("Buy"));
    EXPECT_FALSE(is_purchase("subscribe"));

    write("dataset.toml", "[events]\npurchases = [\"subscribe\"]\n");
    EXPECT_FALSE(is_purchase("Buy"));
    EXPECT_TRUE(is_purchase("subscribe"));

    write("dataset.toml", "[events]\npurchases = true\n");
    EXPECT_THAT(error_of(folder()), HasSubstr("a list of event types"));
}

TEST_F(OpenDataset, session_ids_become_numbers_and_may_be_missing) {
    write(
        "interactions.csv",
        "user_id,item_id,timestamp,session_id\nu,a,1,s9\nu,b,2,s9\nu,c,3,\nv,a,1,s4\n"
    );

    const auto data = opened(folder());

    EXPECT_THAT(data.log.history(UserId{0}).sessions, ElementsAre(0, 0, no_session));
    EXPECT_THAT(data.log.history(UserId{1}).sessions, ElementsAre(1));
    EXPECT_THAT(data.log.history(UserId{0}).tail(1).sessions, ElementsAre(no_session));
}

TEST_F(OpenDataset, without_session_ids_there_is_no_such_column) {
    write("interactions.csv", "user_id,item_id\nu,a\n");

    EXPECT_TRUE(opened(folder()).log.history(UserId{0}).sessions.empty());
}

TEST_F(OpenDataset, an_unknown_key_is_refused_with_its_place) {
    write("interactions.csv", "user_id,item_id\nu,a\n");
    write("dataset.toml", "\nrepeat = true\n");

    EXPECT_THAT(error_of(folder()), HasSubstr("dataset.toml:2:1: unknown key repeat"));
    EXPECT_THAT(error_of(folder()), HasSubstr("did you mean repeats?"));
}

TEST(SharedData, ml_100k_opens_with_its_published_counts) {
    const std::filesystem::path folder{HG_SHARED_DIR "/data/ml-100k"};
    if (!std::filesystem::exists(folder)) {
        GTEST_SKIP() << "no ../shared/data/ml-100k here";
    }

    const auto data = opened(folder);

    EXPECT_EQ(data.users.size(), 943U);
    EXPECT_EQ(data.items.size(), 1682U);
    EXPECT_EQ(data.log.size(), 100'000U);
    EXPECT_EQ(data.time_kind, TimeKind::real);
    EXPECT_THAT(data.item_fields.title(*data.items.find("1")), StartsWith("Toy Story"));
}

}  // namespace
}  // namespace hg::data
