// SPDX-License-Identifier: Apache-2.0
// Exports of other programs -> Dataset: what is recognised, what becomes what, what is left out,
// and what damaged files do. The rows are invented, the headers are those of the real exports.
#include "data/folder_fixture.hpp"
#include "data/importer.hpp"
#include "data/raw_dataset.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hg::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class ImportedFolder : public FolderFixture {
  protected:
    RawDataset imported() const { return value_or_throw(read_raw_dataset(folder())); }

    std::string error() const {
        const auto result = read_raw_dataset(folder());
        return result ? "no error" : result.error().what();
    }
};

/// "user item event weight time" of every event, by user and time.
std::vector<std::string> events_of(const Dataset& data) {
    std::vector<std::string> lines;
    for (std::uint32_t u = 0; u < data.log.n_users(); ++u) {
        const auto history = data.log.history(UserId{u});
        for (std::size_t i = 0; i < history.items.size(); ++i) {
            lines.push_back(fmt::format(
                "{} {} {} {} {}",
                data.users.name(u),
                data.items.name(history.items[i].value),
                data.event_types[history.types[i].index()].name,
                history.weights[i],
                history.times[i]
            ));
        }
    }
    return lines;
}

std::string field_of(const Dataset& data, std::string_view item, std::string_view field) {
    const auto row = data.items.find(item);
    const auto* const column = data.item_fields.find(field);
    return !row ? "no item" : column == nullptr ? "no field" : column->text(*row);
}

constexpr std::string_view shopify_orders =
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Accepts Marketing,Currency,Subtotal,"
    "Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Billing Name,"
    "Billing Address1,Notes,Cancelled at,Vendor,Id\n"
    "#1001,ann,paid,2024-03-01 12:30:05 -0500,fulfilled,yes,USD,110.00,2024-03-01 12:30:00 -0500,2,"
    "Linen shirt - Blue / M,49.00,LS-BM,Ann A.,\"1, Road\",,,Harbour,1\n"
    "#1001,ann,,,,,,,,1,Tea cup,12.00,,,,,,Harbour,\n"
    "#1002,bob,refunded,2024-03-02 10:00:00 -0500,,no,USD,9.00,2024-03-02 10:00:00 -0500,1,Gift "
    "card,"
    "9.00,GC,Bob B.,,,,Harbour,2\n"
    "#1003,bob,voided,,,no,USD,9.00,2024-03-03 10:00:00 -0500,1,Gift card,9.00,GC,Bob B.,,,"
    "2024-03-03 11:00:00 -0500,Harbour,3\n"
    "#1004,,paid,,,no,USD,9.00,2024-03-04 10:00:00 -0500,1,Gift card,9.00,GC,,,,,Harbour,4\n";

constexpr std::string_view shopify_products =
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,"
    "Option1 Value,Variant SKU,Variant Price,Image Src,Status\n"
    "linen-shirt,Linen shirt,\"<p>Soft &amp; <b>light</b>.</p><style>p{}</style>\",Harbour,"
    "Apparel & Accessories > Clothing,Shirts,\"summer, linen\",true,Size,S,LS-BS,49.00,"
    "https://shop.example/1.jpg,active\n"
    "linen-shirt,,,,,,,,,M,LS-BM,52.00,,\n"
    "linen-shirt,,,,,,,,,,,,https://shop.example/2.jpg,\n"
    "tea-cup,Tea cup,,Kiln,,Cups,,true,Title,Default Title,,12.00,,active\n";

TEST_F(ImportedFolder, shopify_orders_find_the_products_they_mean) {
    write("orders_export.csv", shopify_orders);
    write("products_export.csv", shopify_products);

    const auto raw = imported();

    // 2024-03-01 12:30 -0500 = 17:30 UTC; the second line has neither its own date nor a SKU.
    EXPECT_THAT(
        events_of(raw.data),
        ElementsAre(
            "ann linen-shirt purchase 1 1709314200000",
            "ann tea-cup purchase 1 1709314200000",
            "bob GC return -1 1709391600000"
        )
    );
    EXPECT_EQ(raw.data.time_kind, TimeKind::real);
    EXPECT_EQ(raw.report.rejected, 0U);
    EXPECT_THAT(
        raw.report.left_out,
        UnorderedElementsAre(
            Pair("further variant or image of a product", 2),
            Pair("order names no customer", 1),
            Pair("order was cancelled or never paid", 1)
        )
    );
}

TEST_F(ImportedFolder, shopify_products_are_one_item_with_the_words_of_their_first_row) {
    write("orders_export.csv", shopify_orders);
    write("products_export.csv", shopify_products);

    const auto data = imported().data;

    EXPECT_EQ(field_of(data, "linen-shirt", "title"), "Linen shirt");
    EXPECT_EQ(field_of(data, "linen-shirt", "description"), "Soft & light .");
    EXPECT_EQ(field_of(data, "linen-shirt", "categories"), "Apparel & Accessories|Clothing");
    EXPECT_EQ(field_of(data, "linen-shirt", "tags"), "summer|linen");
    EXPECT_EQ(field_of(data, "linen-shirt", "price"), "49");
    EXPECT_EQ(field_of(data, "linen-shirt", "image"), "https://shop.example/1.jpg");
    EXPECT_EQ(field_of(data, "GC", "title"), "Gift card") << "an item only the orders know";
}

TEST_F(ImportedFolder, shopify_products_with_the_newer_column_names_are_the_same) {
    write("orders_export.csv", shopify_orders);
    write(
        "products_export.csv",
        "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,"
        "Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,Product image URL,"
        "Image position,Variant image URL\n"
        "Linen shirt,linen-shirt,<p>Soft</p>,Harbour,Apparel > Clothing,Shirts,summer,TRUE,active,"
        "LS-BS,,Size,S,49.00,,https://shop.example/1.jpg,1,\n"
        ",linen-shirt,,,,,,,,LS-BM,,,M,52.00,,,,\n"
        "Tea cup,tea-cup,,Kiln,,,,TRUE,active,,,,,12.00,,,,\n"
    );

    const auto data = imported().data;

    EXPECT_EQ(events_of(data).front(), "ann linen-shirt purchase 1 1709314200000");
    EXPECT_EQ(field_of(data, "linen-shirt", "description"), "Soft");
    EXPECT_EQ(field_of(data, "linen-shirt", "price"), "49");
    EXPECT_EQ(field_of(data, "linen-shirt", "image"), "https://shop.example/1.jpg");
}

TEST_F(ImportedFolder, shopify_orders_alone_name_items_by_sku_and_title) {
    write("orders_export.csv", shopify_orders);

    const auto data = imported().data;

    EXPECT_EQ(field_of(data, "LS-BM", "title"), "Linen shirt - Blue / M");
    EXPECT_EQ(field_of(data, "Tea cup", "title"), "Tea cup");
    EXPECT_EQ(data.items.size(), 3U);
}

TEST_F(ImportedFolder, names_and_addresses_of_shopify_customers_stay_outside) {
    write("orders_export.csv", shopify_orders);
    write(
        "customers_export.csv",
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Address1,"
        "Default Address Province Code,Default Address Country Code,Phone,Total Spent,Total Orders,"
        "Note,Tags\n"
        "1,Ann,Archer,ann,yes,1 Road,ON,CA,555,110.00,1,likes cats,\"vip, linen\"\n"
    );

    const auto raw = imported();

    std::vector<std::string> names;
    for (const auto& field : raw.data.user_fields.fields()) {
        names.push_back(field.name);
    }
    EXPECT_THAT(names, UnorderedElementsAre("province", "country", "tags", "accepts_marketing"));
}

TEST_F(ImportedFolder, woocommerce_lines_are_purchases_of_products_not_of_variations) {
    write(
        "orders.csv",
        "order_id,order_number,order_date,status,customer_id,billing_first_name,billing_email,item_"
        "id,"
        "item_product_id,item_name,item_sku,item_quantity,item_total,item_refunded_qty\n"
        "71,71,2024-03-01 10:00:00,completed,3,Eve,eve,901,21,Hoodie - Red,H-R,1,40,0\n"
        "71,71,2024-03-01 10:00:00,completed,3,Eve,eve,902,,Cap,C-1,1,15,1\n"
        "72,72,2024-03-02 10:00:00,cancelled,0,Fay,fay,903,20,Hoodie,H,1,40,0\n"
        "73,73,2024-03-02 11:00:00,wc-completed,8,Gus,,904,20,Hoodie,H,1,40,0\n"
        "74,74,2024-03-02 12:00:00,completed,0,,,905,20,Hoodie,H,1,40,0\n"
    );
    write(
        "wc-product-export-1-3-2024.csv",
        "ID,Type,SKU,Name,Published,\"Is featured?\",\"Visibility in catalog\",\"Short "
        "description\","
        "Description,\"In stock?\",Stock,\"Sale price\",\"Regular "
        "price\",Categories,Tags,Images,Parent\n"
        "21,variation,H-R,Hoodie - Red,1,0,visible,,,1,,,40,,,,H\n"
        "20,variable,H,Hoodie,1,0,visible,Warm,<p>Wool</p>,1,,,,\"Clothing, Clothing > "
        "Hoodies\",\"wool, winter\",\"https://w.example/h.jpg, https://w.example/h2.jpg\",\n"
        "22,simple,C-1,Cap,1,0,visible,,,1,5,12.50,15,Clothing > Caps,,,\n"
    );

    const auto raw = imported();

    EXPECT_THAT(
        events_of(raw.data),
        ElementsAre(
            "eve 20 purchase 1 1709287200000",
            "eve 22 return -1 1709287200000",
            "8 20 purchase 1 1709377200000"
        )
    );
    EXPECT_THAT(
        raw.report.left_out,
        UnorderedElementsAre(
            Pair("order names no customer", 1),
            Pair("order was cancelled or never paid", 1),
            Pair("variation of a product", 1)
        )
    );
    EXPECT_EQ(field_of(raw.data, "20", "categories"), "Clothing|Hoodies");
    EXPECT_EQ(field_of(raw.data, "20", "image"), "https://w.example/h.jpg");
    EXPECT_EQ(field_of(raw.data, "22", "price"), "12.5");
    EXPECT_EQ(raw.data.items.find("21"), std::nullopt);
}

constexpr std::string_view ga4_events =
    R"json({"event_date":"20240301","event_timestamp":"1709290000250000","event_name":"view_item","event_params":[{"key":"ga_session_id","value":{"int_value":"77"}}],"user_pseudo_id":"31.17","items":[{"item_id":"TEA-01","item_name":"Assam","item_brand":"Harbour","item_category":"Tea","item_category2":"Black","price":15.0}]}
{"event_timestamp":"1709290001000000","event_name":"page_view","user_pseudo_id":"31.17","items":[]}
{"event_timestamp":"1709290002000000","event_name":"view_item_list","user_pseudo_id":"31.17","items":[{"item_id":"TEA-01"},{"item_id":"TEA-02"}]}
{"event_timestamp":1709290003000000,"event_name":"purchase","user_pseudo_id":"31.17","items":[{"item_id":"TEA-01","quantity":"2"},{"item_id":"(not set)","item_name":"Sencha"}]}
{"event_timestamp":"1709290004000000","event_name":"view_item","user_pseudo_id":null,"items":[{"item_id":"TEA-01"}]}
{"event_timestamp":"1709290005000000","event_name":
)json";

TEST_F(ImportedFolder, ga4_events_become_one_event_an_item_with_weights) {
    write("events_20240301.json", ga4_events);

    const auto raw = imported();

    EXPECT_THAT(
        events_of(raw.data),
        ElementsAre(
            "31.17 TEA-01 view_item 1 1709290000250",
            "31.17 TEA-01 purchase 5 1709290003000",
            "31.17 Sencha purchase 5 1709290003000"
        )
    );
    EXPECT_EQ(field_of(raw.data, "TEA-01", "title"), "Assam");
    EXPECT_EQ(field_of(raw.data, "TEA-01", "categories"), "Tea|Black");
    EXPECT_THAT(raw.data.items.find("TEA-02"), testing::Optional(testing::_))
        << "shown in a list, never chosen: an item without events";
    EXPECT_THAT(
        raw.report.left_out,
        UnorderedElementsAre(
            Pair("event without items (page_view, scroll, ...)", 1),
            Pair("view_item_list: shows items, or repeats or undoes a cart", 1),
            Pair("event of nobody (no consent)", 1)
        )
    );
    EXPECT_EQ(raw.report.rejected, 1U) << "the broken line is counted once, though read twice";
    EXPECT_THAT(
        raw.report.examples.front(), HasSubstr("events_20240301.json:6: is not a JSON object")
    );
}

TEST_F(ImportedFolder, dataset_toml_wins_over_the_weights_of_an_importer) {
    write("events_20240301.json", ga4_events);
    write("dataset.toml", "[events]\nweights = { purchase = 9 }\n");

    EXPECT_THAT(imported().data.log.columns().weights, ElementsAre(1.0F, 9.0F, 9.0F));

    write("dataset.toml", "[events]\npositive = [\"purchase\"]\n");

    EXPECT_THAT(imported().data.log.columns().weights, ElementsAre(0.0F, 1.0F, 1.0F));
}

TEST_F(ImportedFolder, a_merchant_feed_is_the_catalogue_beside_ga4_events) {
    write("events_20240301.json", ga4_events);
    write(
        "feed.txt",
        "id\ttitle\tdescription\tlink\timage link\tavailability\tprice\tsale price\tbrand\tproduct "
        "type"
        "\tgtin\n"
        "TEA-01\tAssam, loose\tMalty <b>tea</b>\thttps://t.example/1\thttps://t.example/1.jpg\tin "
        "stock\t"
        "\"1,299.00 USD\"\t\tHarbour\tTea > Black > Loose\t0123\n"
        "TEA-09\tNobody's\t\thttps://t.example/9\t\tout of stock\t15,50 EUR\t12,40 EUR\t\t\t\n"
    );

    const auto data = imported().data;

    EXPECT_EQ(field_of(data, "TEA-01", "title"), "Assam, loose") << "the feed is read behind GA4";
    EXPECT_EQ(field_of(data, "TEA-01", "description"), "Malty tea");
    EXPECT_EQ(field_of(data, "TEA-01", "categories"), "Tea|Black|Loose");
    EXPECT_EQ(field_of(data, "TEA-01", "price"), "1299");
    EXPECT_EQ(field_of(data, "TEA-01", "url"), "https://t.example/1");
    EXPECT_EQ(field_of(data, "TEA-09", "price"), "12.4");
    EXPECT_EQ(field_of(data, "TEA-01", "gtin"), "no field");
}

constexpr std::string_view rss_feed = R"json(<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
<title>Harbour Tea</title><link>https://t.example</link>
<item>
<g:id>TEA-01</g:id><title>Assam &amp; friends</title>
<g:description><![CDATA[<p>Malty <b>tea</b></p>]]></g:description>
<g:link>https://t.example/1</g:link><g:price>15.00 USD</g:price>
<g:availability>in_stock</g:availability>
<g:product_highlight>Loose</g:product_highlight><g:product_highlight>Fair</g:product_highlight>
<g:shipping><g:country>US</g:country><g:price>4.50 USD</g:price></g:shipping>
</item>
)json";

TEST_F(ImportedFolder, an_xml_feed_is_read_like_a_tab_separated_one) {
    write("events_20240301.json", ga4_events);
    write("feed.xml", std::string{rss_feed} + "</channel></rss>");

    const auto raw = imported();

    EXPECT_EQ(field_of(raw.data, "TEA-01", "title"), "Assam & friends");
    EXPECT_EQ(field_of(raw.data, "TEA-01", "description"), "Malty tea");
    EXPECT_EQ(field_of(raw.data, "TEA-01", "price"), "15") << "not the price of shipping";
    EXPECT_EQ(field_of(raw.data, "TEA-01", "highlights"), "Loose|Fair");
    EXPECT_EQ(raw.report.rejected, 1U) << "of the GA4 file";
}

TEST_F(ImportedFolder, broken_xml_keeps_what_stands_above_and_names_the_line) {
    write("interactions.csv", "user_id,item_id\nu,TEA-01\n");
    write("feed.xml", std::string{rss_feed} + "<item><g:id>TEA-02</g:id></oops>");

    const auto raw = imported();

    EXPECT_EQ(field_of(raw.data, "TEA-01", "title"), "Assam & friends");
    EXPECT_THAT(
        raw.report.examples,
        ElementsAre("feed.xml:12: is not XML: mismatched tag; nothing behind this line was read; "
                    "export the feed again")
    );
}

TEST_F(ImportedFolder, entities_of_an_xml_bomb_are_refused) {
    std::string feed = "<!DOCTYPE x [<!ENTITY a0 \"" + std::string(1000, 'a') + "\">";
    for (int i = 1; i < 12; ++i) {
        std::string eight;
        for (int k = 0; k < 8; ++k) {
            eight += fmt::format("&a{};", i - 1);
        }
        feed += fmt::format("<!ENTITY a{} \"{}\">", i, eight);
    }
    feed += "]>\n" + std::string{rss_feed.substr(rss_feed.find('\n'))} +
            "<item><id>2</id><title>&a11;</title></item></channel></rss>";
    write("interactions.csv", "user_id,item_id\nu,TEA-01\n");
    write("feed.xml", feed);

    EXPECT_THAT(imported().report.examples, ElementsAre(HasSubstr("amplification")));
}

TEST_F(ImportedFolder, a_gorse_dump_gives_feedback_items_and_users) {
    write(
        "feedback.jsonl",
        R"json({"FeedbackType":"like","UserId":"u1","ItemId":"i1","Value":1,"Timestamp":"2024-01-02T00:00:00Z","Comment":""}
{"FeedbackType":"read","UserId":"u1","ItemId":"i2","Value":0,"Timestamp":"2024-01-03 00:00:00.000000001 +0000 UTC","Comment":""}
{"FeedbackType":"like","UserId":"","ItemId":"i2","Timestamp":"2024-01-03T00:00:00Z"}
)json"
    );
    write(
        "items.jsonl",
        R"json({"ItemId":"i1","IsHidden":false,"Categories":["tea"],"Timestamp":"2024-01-01T00:00:00Z","Labels":{"genre":["black","loose"],"embedding":[0.25,0.5]},"Comment":"Assam"}
{"ItemId":"i2","IsHidden":true,"Categories":[],"Timestamp":"2024-01-01T00:00:00Z","Labels":["green"],"Comment":"Sencha"}
)json"
    );
    write("users.jsonl", R"json({"UserId":"u0","Labels":{}}
{"UserId":"u1","Labels":{"country":"NL"},"Comment":"private"})json");

    const auto raw = imported();

    EXPECT_THAT(
        events_of(raw.data), ElementsAre("u1 i1 like 1 1704153600000", "u1 i2 read 0 1704240000000")
    );
    EXPECT_EQ(field_of(raw.data, "i1", "genre"), "black|loose");
    EXPECT_EQ(field_of(raw.data, "i1", "categories"), "tea");
    EXPECT_EQ(field_of(raw.data, "i2", "labels"), "green");
    EXPECT_EQ(field_of(raw.data, "i2", "is_hidden"), "true");
    EXPECT_EQ(field_of(raw.data, "i1", "embedding"), "no field");
    ASSERT_EQ(raw.data.user_fields.fields().size(), 1U);
    EXPECT_EQ(raw.data.user_fields.fields()[0].text(0), "NL") << "u1, the first met";
    EXPECT_EQ(raw.report.reasons.at("user_id is empty"), 1U);
}

TEST_F(ImportedFolder, recbole_types_are_believed) {
    write(
        "x.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu\t1\t4\t881250949\n"
    );
    write(
        "x.item",
        "item_id:token\tshelf:token\tweight:float\twords:token_seq\tvector:float_seq\n"
        "1\t12\t3\tred blue\t0.1 0.2\n2\t12\t4\tred\t0.3 0.4\n"
    );
    write("x.kg", "head_id:token\trelation_id:token\ttail_id:token\n");

    const auto data = imported().data;

    EXPECT_EQ(data.item_fields.find("shelf")->kind, FieldKind::category) << "a code, not a number";
    EXPECT_EQ(data.item_fields.find("weight")->kind, FieldKind::number);
    EXPECT_EQ(field_of(data, "1", "words"), "red|blue");
    EXPECT_EQ(data.item_fields.find("vector"), nullptr);
}

TEST_F(ImportedFolder, tables_of_ours_are_not_taken_for_exports) {
    write("interactions.csv", "user_id,item_id,event,timestamp\nu,a,click,881250949\n");
    write("items.csv", "item_id,title,price\na,A,3\n");
    write("users.csv", "user_id,age\nu,3\n");

    const auto raw = imported();

    EXPECT_EQ(raw.data.log.size(), 1U);
    EXPECT_THAT(raw.report.left_out, IsEmpty());
}

TEST_F(ImportedFolder, importers_can_be_turned_off) {
    write("interactions.csv", shopify_orders);
    write("dataset.toml", "importers = \"none\"\n");

    EXPECT_THAT(error(), HasSubstr("interactions.csv: no user column; found Name, Email"));
}

TEST_F(ImportedFolder, a_catalogue_without_events_says_what_is_missing) {
    write("products_export.csv", shopify_products);

    EXPECT_THAT(error(), HasSubstr("no interactions; products_export.csv holds only items"));
    EXPECT_THAT(error(), HasSubstr("put the orders or the events of the same shop beside it"));
}

TEST_F(ImportedFolder, every_cut_of_an_export_is_read_or_named) {
    for (const auto& [name, text] :
         {std::pair{"orders_export.csv", shopify_orders},
          std::pair{"events.json", ga4_events},
          std::pair{"feed.xml", rss_feed},
          std::pair{"products_export.csv", shopify_products}}) {
        for (std::size_t n = 0; n < text.size(); n += 7) {
            std::filesystem::remove_all(folder());
            write("interactions.csv", "user_id,item_id,timestamp\nu,a,2024-03-01\n");
            write(name, text.substr(0, n));
            const auto result = read_raw_dataset(folder());
            ASSERT_TRUE(result || !result.error().message().empty()) << name << " cut at " << n;
        }
    }
}

TEST(Importers, every_one_says_what_it_reads) {
    for (const auto* entry : importers()) {
        EXPECT_FALSE(entry->summary.empty() || entry->files.empty()) << entry->name;
        EXPECT_GE(entry->needs.size(), 2U) << entry->name << " would take strangers' files";
        ASSERT_FALSE(entry->tables.empty()) << entry->name;
        for (const auto& table : entry->tables) {
            EXPECT_FALSE(table.columns.empty()) << entry->name;
        }
    }
}

}  // namespace
}  // namespace hg::data
