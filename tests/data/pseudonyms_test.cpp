// SPDX-License-Identifier: Apache-2.0
// E-mail addresses: found, hashed under a key, in none of the files a dataset is made of.
#include "data/pseudonyms.hpp"

#include "core/progress.hpp"
#include "data/binary_dataset.hpp"
#include "data/folder_fixture.hpp"
#include "data/ingest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace hg::data {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string found(std::string_view text) {
    const auto place = find_address(text);
    return place ? std::string{text.substr(place->begin, place->end - place->begin)} : "none";
}

TEST(Addresses, are_told_from_what_only_looks_alike) {
    EXPECT_EQ(found("ann@example.org"), "ann@example.org");
    EXPECT_EQ(found("mail to <Ann.B+x@mail.Example.co.uk>."), "Ann.B+x@mail.Example.co.uk");
    EXPECT_EQ(
        found("j\xc3\xb6rg@b\xc3\xbc"
              "cher.example"),
        "j\xc3\xb6rg@b\xc3\xbc"
        "cher.example"
    );
    EXPECT_EQ(found("@@a@b.example"), "a@b.example");
    for (const auto* const text :
         {"@handle", "user@host", "a@1.2", "a@b.", "a@.b", "@b.example", "", "@"}) {
        EXPECT_EQ(found(text), "none") << text;
    }
}

TEST(Addresses, hash_alike_without_case_and_apart_under_other_keys) {
    const auto one = Pseudonyms::make();
    const auto other = Pseudonyms::make();

    const auto hashed = one.hide("ann@example.org");

    EXPECT_THAT(hashed, StartsWith("email:"));
    EXPECT_EQ(hashed.size(), 6U + 32U);
    EXPECT_EQ(one.hide("Ann@Example.ORG"), hashed);
    EXPECT_EQ(one.hide(hashed), hashed) << "what is hashed stays";
    EXPECT_NE(one.hide("bob@example.org"), hashed);
    EXPECT_NE(other.hide("ann@example.org"), hashed);
    EXPECT_EQ(one.hide("cc ann@example.org, u7"), "cc " + hashed + ", u7");
    EXPECT_EQ(one.hide("u7"), "u7");
}

class AddressFolder : public FolderFixture {
  protected:
    void SetUp() override {
        write(
            "raw/interactions.csv",
            "user_id,item_id,rating\nAnn@example.org,a,5\nu7,b,4\nann@example.org,b,3\n"
            "bob@example.org,a,five\n"
        );
        write("raw/users.csv", "user_id,contact\nann@example.org,ann@work.example\nu7,\n");
        write("raw/items.csv", "item_id,description\na,Ask shop@example.org\n");
    }

    IngestReport ingested(const std::string& out, const IngestOptions& options = {}) {
        return value_or_throw(ingest(folder() / "raw", folder() / out, options, quiet_));
    }

    std::string user_of(const std::string& out, std::uint32_t id) {
        return value_or_throw(open_dataset(folder() / out)).users.name(id);
    }

    SilentProgress quiet_;
};

TEST_F(AddressFolder, no_file_of_a_dataset_holds_an_address_of_a_user) {
    const auto report = ingested("out");

    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder() / "out"}) {
        const auto bytes = read(std::filesystem::relative(entry.path(), folder()).string());
        EXPECT_THAT(bytes, Not(HasSubstr("nn@example"))) << entry.path();
        EXPECT_THAT(bytes, Not(HasSubstr("bob@"))) << entry.path();
        EXPECT_THAT(bytes, Not(HasSubstr("ann@work"))) << entry.path();
    }
    EXPECT_EQ(report.read.rejected, 1U);
    EXPECT_EQ(report.read.hashed.at("interactions.csv: user_id"), 3U);
    EXPECT_EQ(report.read.hashed.at("users.csv: contact"), 1U);
    const auto data = value_or_throw(open_dataset(folder() / "out"));
    EXPECT_EQ(data.users.size(), 2U) << "one Ann and u7";
    EXPECT_EQ(data.item_fields.find("description")->texts[0], "Ask shop@example.org");
}

TEST_F(AddressFolder, addresses_that_json_escapes_are_found_too) {
    std::filesystem::remove(folder() / "raw/interactions.csv");
    write(
        "raw/interactions.jsonl",
        "{\"user_id\":\"eve\\u0040example.org\",\"item_id\":\"a\"}\n"
        "{\"user_id\":\"eve\\u0040example.org\",\"item_id\":\"\"}\n"
    );

    const auto report = ingested("out");

    EXPECT_EQ(report.read.rejected, 1U);
    EXPECT_THAT(user_of("out", 0), StartsWith("email:"));
    EXPECT_THAT(read("out/rejected.jsonl"), Not(AnyOf(HasSubstr("eve@"), HasSubstr("0040"))));
}

TEST_F(AddressFolder, the_address_of_an_order_is_hashed_on_every_line_of_it) {
    std::filesystem::remove(folder() / "raw/interactions.csv");
    write(
        "raw/orders_export.csv",
        "Name,Email,Created at,Lineitem name\n"
        "#1,Ann@example.org,2024-03-01 12:30:00 -0500,Cup\n#1,,,Pot\n"
    );

    (void)ingested("out");

    const auto data = value_or_throw(open_dataset(folder() / "out"));
    EXPECT_EQ(data.log.history(UserId{0}).items.size(), 2U);
    EXPECT_THAT(data.users.name(0), StartsWith("email:"));
}

TEST_F(AddressFolder, the_key_stays_with_the_dataset) {
    (void)ingested("out");
    const auto first = user_of("out", 0);

    (void)ingested("out");
    EXPECT_EQ(user_of("out", 0), first) << "ingested again into the same place";

    (void)value_or_throw(ingest(folder() / "out", folder() / "filtered", {}, quiet_));
    const auto pseudonyms = value_or_throw(load_pseudonyms(folder() / "filtered"));
    ASSERT_TRUE(pseudonyms);
    EXPECT_EQ(pseudonyms->hide("ANN@example.org"), first) << "a dataset made from the dataset";

    (void)ingested("elsewhere");
    EXPECT_NE(user_of("elsewhere", 0), first);
}

TEST_F(AddressFolder, a_key_file_is_made_once_and_shared) {
    const IngestOptions options{.address_key = folder() / "shop.key"};

    (void)ingested("one", options);
    (void)ingested("two", options);

    EXPECT_EQ(user_of("one", 0), user_of("two", 0));
    using std::filesystem::perms;
    const auto allowed = std::filesystem::status(folder() / "shop.key").permissions();
    EXPECT_EQ(allowed & (perms::group_all | perms::others_all), perms::none);
}

TEST_F(AddressFolder, a_raw_folder_with_addresses_is_refused) {
    const auto result = open_dataset(folder() / "raw");

    ASSERT_FALSE(result);
    EXPECT_THAT(
        result.error().what(), HasSubstr("interactions.csv:2: user_id holds an e-mail address")
    );
    EXPECT_THAT(result.error().what(), HasSubstr("honeyguide ingest"));
}

TEST_F(AddressFolder, a_damaged_key_is_named_and_nothing_is_written) {
    (void)ingested("out");
    const auto before = read("out/dataset.json");
    const std::vector<std::string> damaged{
        "", "abc", "zz", std::string(63, 'a'), std::string(66, 'a')
    };
    for (const auto& text : damaged) {
        write("out/address.key", text);

        const auto result = ingest(folder() / "raw", folder() / "out", {}, quiet_);

        ASSERT_FALSE(result) << text;
        EXPECT_THAT(result.error().what(), HasSubstr("address.key: is no key"));
        EXPECT_EQ(read("out/dataset.json"), before);
    }
}

}  // namespace
}  // namespace hg::data
