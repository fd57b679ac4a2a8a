// SPDX-License-Identifier: Apache-2.0
// The text of a slate is JSON that reads back as what it was, whatever ids and titles hold.
#include "serve/slate_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <memory>

namespace hg::serve {
namespace {

constexpr const char* odd_ids[] = {
    "plain", "a\"b\\c", "two\nlines\t", "\xc3\xa9t\xc3\xa9", "broken \xff"
};

std::shared_ptr<const data::Dataset> odd_items() {
    auto dataset = std::make_shared<data::Dataset>();
    for (const auto* id : odd_ids) {
        dataset->items.intern(id);
    }
    return dataset;
}

TEST(SlateText, a_slate_reads_back) {
    const ItemTable items{odd_items()};
    std::vector<policy::Slot> slots;
    for (ItemRow row = 0; row < std::size(odd_ids); ++row) {
        slots.push_back({
            .item = row,
            .score = .1F,
            .propensity = 1.0 / 3,
            .explored = row == 1,
        });
    }
    slots[4].score = std::numeric_limits<float>::infinity();
    std::vector<Reason> reasons(slots.size(), Reason{.text = "because you liked \"x\""});
    reasons[0].because = 1;
    const std::string model = "runs/\"odd\"";
    const std::string policy = "plackett_luce(epsilon=0.05)";
    const std::string id = "0123";

    const auto slate = nlohmann::json::parse(json_of({
        .slots = slots,
        .reasons = reasons,
        .model = model,
        .policy = policy,
        .recommendation_id = id,
        .items = items.read(),
    }));

    EXPECT_EQ(slate["model"], model);
    EXPECT_EQ(slate["policy"], policy);
    EXPECT_EQ(slate["recommendation_id"], id);
    ASSERT_EQ(slate["items"].size(), slots.size());
    for (std::size_t i = 0; i < 4; ++i) {
        const auto& row = slate["items"][i];
        EXPECT_EQ(row["item_id"], odd_ids[i]);
        EXPECT_EQ(row["title"], "");
        EXPECT_EQ(row["score"].get<float>(), .1F);
        EXPECT_EQ(row["propensity"].get<double>(), 1.0 / 3) << "every digit";
        EXPECT_EQ(row["explore"], i == 1);
        EXPECT_EQ(row["reason"], reasons[i].text);
        EXPECT_EQ(row.contains("because"), i == 0);
    }
    EXPECT_EQ(slate["items"][0]["because"], odd_ids[1]);
    EXPECT_TRUE(slate["items"][4]["score"].is_null()) << "JSON has no infinity";
    EXPECT_EQ(slate["items"][4]["item_id"], "broken \xef\xbf\xbd") << "replaced, as everywhere";
}

TEST(SlateText, candidates_read_back_and_have_a_digest_of_their_own) {
    const ItemTable items{odd_items()};
    const std::array pool{Scored{.index = 1, .score = 2.5F}, Scored{.index = 0, .score = -1e-7F}};

    const auto text = text_of(items.read(), pool);

    const auto rows = nlohmann::json::parse(text.candidates);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0][0], odd_ids[1]);
    EXPECT_EQ(rows[1][1].get<float>(), -1e-7F);
    EXPECT_EQ(text.digest.size(), 16U);
    EXPECT_EQ(text.digest, text_of(items.read(), pool).digest);
    EXPECT_NE(text.digest, text_of(items.read(), std::span{pool}.first(1)).digest);
    EXPECT_EQ(text_of(items.read(), {}).candidates, "[]");
}

}  // namespace
}  // namespace hg::serve
