// SPDX-License-Identifier: Apache-2.0
// --explain: the mapping that is told is the mapping that ingest uses.
#include "data/explain.hpp"

#include "data/folder_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace hg::data {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

class Explain : public FolderFixture {
  protected:
    Explanation told() const { return value_or_throw(explain(folder())); }
};

ExplainedColumn column(const ExplainedTable& table, std::string_view from) {
    const auto found = std::ranges::find(table.columns, from, &ExplainedColumn::from);
    return found == table.columns.end() ? ExplainedColumn{"", "no such column", ""} : *found;
}

TEST_F(Explain, tables_of_ours_are_told_by_role_and_kind) {
    write(
        "interactions.csv", "who,item_id,rating,when,note\nu,a,5,2024-03-01,x\nu,b,4,2024-03-02,\n"
    );
    write("items.csv", "item_id,title,price,secret,nothing\na,A,3,s,\nb,B,4,t,\n");
    write(
        "dataset.toml",
        "[columns]\nuser = \"who\"\ntime = \"when\"\n[items.fields]\nsecret = \"ignore\"\n"
    );

    const auto explanation = told();

    const auto& log = explanation.tables.at(0);
    EXPECT_EQ(log.importer, "tables");
    EXPECT_EQ(column(log, "who").becomes, "user");
    EXPECT_EQ(column(log, "who").note, "says dataset.toml");
    EXPECT_EQ(column(log, "when").becomes, "time");
    EXPECT_EQ(column(log, "note").becomes, "");
    const auto& items = explanation.tables.at(1);
    EXPECT_EQ(column(items, "item_id").becomes, "item");
    EXPECT_EQ(column(items, "price").becomes, "price (number)");
    EXPECT_THAT(column(items, "secret").note, HasSubstr("dataset.toml ignores"));
    EXPECT_EQ(column(items, "nothing").note, "has no value");
    ASSERT_EQ(items.sample.size(), 2U);
    EXPECT_THAT(items.sample[0], Contains(Pair("title", "A")));
    EXPECT_EQ(explanation.summary.events, 2U);
}

TEST_F(Explain, exports_are_told_with_what_is_used_left_out_and_hashed) {
    write(
        "orders.csv",
        "Name,Email,Financial Status,Created at,Lineitem name,Lineitem sku,Billing Name,Id\n"
        "#1,ann@example.org,paid,2024-03-01 12:30:00 -0500,Cup,C1,Ann,1\n"
        "#2,bob@example.org,voided,2024-03-01 12:30:00 -0500,Cup,C1,Bob,2\n"
    );
    write("readme.txt", "hello\n");
    write("graph.kg", "head_id:token\n");

    const auto explanation = told();

    const auto& orders = explanation.tables.at(0);
    EXPECT_EQ(orders.importer, "shopify_orders");
    EXPECT_EQ(column(orders, "Email").becomes, "user");
    EXPECT_EQ(column(orders, "Name").becomes, "used");
    EXPECT_EQ(column(orders, "Billing Name").becomes, "");
    EXPECT_EQ(column(orders, "Billing Name").note, "names and addresses of people");
    EXPECT_THAT(to_json(explanation).dump(), Not(HasSubstr("ann@")));
    EXPECT_THAT(explanation.report.hashed, ElementsAre(Pair("orders.csv: user_id", 1)));
    EXPECT_THAT(
        explanation.report.left_out, ElementsAre(Pair("order was cancelled or never paid", 1))
    );
    EXPECT_THAT(
        explanation.ignored_files,
        ElementsAre(
            Pair("graph.kg", StartsWith("RecBole")), Pair("readme.txt", StartsWith("neither"))
        )
    );
}

TEST_F(Explain, every_weight_says_where_it_comes_from) {
    const std::string event =
        R"json({"event_timestamp":"1709290000250000","event_name":"%","user_pseudo_id":"1.2","items":[{"item_id":"a"}]})json";
    std::string log;
    for (const auto* const name : {"purchase", "add_to_cart", "custom"}) {
        auto line = event;
        line.replace(line.find('%'), 1, name);
        log += line + "\n";
    }
    write("events.jsonl", log);
    write("dataset.toml", "[events]\nweights = { add_to_cart = 3 }\n");

    std::vector<std::string> lines;
    for (const auto& [name, weight, events, reason] : told().events) {
        lines.push_back(fmt::format("{} {} {} {}", name, weight, events, reason));
    }

    EXPECT_THAT(
        lines,
        testing::UnorderedElementsAre(
            "purchase 5 1 ga4_events",
            "add_to_cart 3 1 dataset.toml",
            "custom 1 1 every event weighs 1"
        )
    );
}

TEST_F(Explain, nothing_is_written) {
    write("interactions.csv", "user_id,item_id\nu,a\n,b\n");

    (void)told();

    std::size_t n_files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{folder()}) {
        EXPECT_EQ(entry.path().filename(), "interactions.csv");
        ++n_files;
    }
    EXPECT_EQ(n_files, 1U);
}

}  // namespace
}  // namespace hg::data
