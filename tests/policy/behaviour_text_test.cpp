// SPDX-License-Identifier: Apache-2.0
#include "policy/behaviour_text.hpp"

#include "core/error.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hg::policy {
namespace {

using simulate::ItemTexts;

/// Two numbers of an item, clicked, value, rating, present.
std::vector<float> token(float a, float b, bool clicked) {
    return {a, b, clicked ? 1.0F : 0.0F, 0.7F, -3.0F, 1.0F};
}

std::vector<float> joined(const std::vector<std::vector<float>>& tokens) {
    std::vector<float> all;
    for (const auto& one : tokens) {
        all.insert(all.end(), one.begin(), one.end());
    }
    return all;
}

ItemTexts films() {
    Matrix<float> rows(3, 2, {0.5F, 1, 0.25F, 0, 3, 4});
    return {
        std::as_const(rows).view(),
        {"Toy Story", "", "One two three four five six seven eight nine ten"}
    };
}

TEST(BehaviourText, says_what_was_browsed_and_what_was_clicked_newest_first) {
    const auto texts = films();
    const std::vector<float> empty(6);
    const auto session = joined(
        {empty, token(0.5F, 1, true), token(0, 1, false), token(1, 0, true), token(3, 4, false)}
    );

    EXPECT_EQ(
        behaviour_text(session, 6, &texts),
        "browsing One two three four five six seven eight, topic 1; recently clicked topic 0, Toy "
        "Story"
    );
    EXPECT_EQ(behaviour_text(empty, 6, &texts), "nothing seen yet");
    EXPECT_EQ(behaviour_text(token(1, 0, true), 6, nullptr), "recently clicked topic 0");
}

TEST(BehaviourText, items_without_a_name_are_their_numbers) {
    const std::vector<float> numbers{0.1F, -0.75F, 0, 2, 0.3F};

    EXPECT_EQ(item_text(numbers, nullptr), "trait 3 +2.0 trait 1 -0.8 trait 4 +0.3");
    EXPECT_EQ(item_text(std::vector<float>{0, 0}, nullptr), "an item");
    EXPECT_EQ(item_text(std::vector<float>{0.25F, 0}, nullptr), "trait 0 +0.2");
}

TEST(ItemTexts, are_found_by_the_items_numbers_and_come_back_from_a_file) {
    const testing_support::TemporaryFolder folder;
    SafetensorsWriter writer;
    films().save(writer);
    writer.save(folder.path() / "item_texts.safetensors");

    const auto again = ItemTexts::load(
        value_or_throw(SafetensorsFile::open(folder.path() / "item_texts.safetensors"))
    );

    EXPECT_EQ(again.size(), 2U);  // an empty text is none
    EXPECT_EQ(again.find(std::vector<float>{0.5F, 1}), "Toy Story");
    EXPECT_EQ(again.find(std::vector<float>{0.5F, 1, 9}), "Toy Story") << "a world may add numbers";
    EXPECT_EQ(again.find(std::vector<float>{0.5F, 2}), std::nullopt);
    EXPECT_EQ(again.find(std::vector<float>{0.25F, -0.0F}), std::nullopt);
    EXPECT_EQ(again.find(std::vector<float>{0.5F}), std::nullopt);
}

}  // namespace
}  // namespace hg::policy
