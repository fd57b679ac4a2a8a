// SPDX-License-Identifier: Apache-2.0
#include "encode/render_text.hpp"

#include "core/error.hpp"
#include "encode/catalogues.hpp"
#include "encode/script.hpp"

#include <gtest/gtest.h>

namespace hg::encode {
namespace {

TEST(RenderText, joins_title_kinds_year_and_description) {
    const data::Catalogue items{
        2,
        {
            number_field("year", {1995, 2001}),
            text_field("description", {"Toys come to life.", "A girl, a spirit world"}),
            categories_field("genres", {{"Animation", "Comedy"}, {"Fantasy"}}),
            text_field("title", {"Toy Story ", "Spirited Away (2001)"}),
            text_field("director", {"John Lasseter", "Hayao Miyazaki"}),
        }
    };

    EXPECT_EQ(
        TextRule::for_catalogue(items, {}).render_all(items),
        (std::vector<std::string>{
            "Toy Story. Animation, Comedy. 1995. Toys come to life.",
            "Spirited Away (2001). Fantasy. A girl, a spirit world",
        })
    );
}

TEST(RenderText, leaves_out_what_is_missing) {
    const auto items = film_catalogue();
    const auto rule = TextRule::for_catalogue(items, {});

    EXPECT_EQ(rule.render(items, 5), "Alien 3. Horror, Sci-Fi");
    EXPECT_EQ(rule.render(items, 6), "");
}

TEST(RenderText, takes_all_text_columns_when_no_name_is_known) {
    const data::Catalogue items{
        1,
        {text_field("bezeichnung", {"Lampe"}),
         number_field("price", {3}),
         text_field("farbe", {"rot"})}
    };

    EXPECT_EQ(TextRule::for_catalogue(items, {}).render(items, 0), "Lampe. rot");
}

TEST(RenderText, obeys_the_columns_asked_for_and_refuses_unknown_ones) {
    const auto items = film_catalogue();

    EXPECT_EQ(
        TextRule::for_catalogue(items, std::vector<std::string>{"genres", "title"})
            .render(items, 4),
        "Action, Crime. Heat"
    );
    EXPECT_THROW((void)TextRule::for_catalogue(items, std::vector<std::string>{"titel"}), Error);
}

TEST(Script, counts_letters_of_latin_and_other_scripts) {
    EXPECT_DOUBLE_EQ(count_letters("Amélie 2001 ☃").latin_share(), 1.0);
    EXPECT_DOUBLE_EQ(count_letters("千与千寻 2001").latin_share(), 0.0);
    EXPECT_DOUBLE_EQ(count_letters("").latin_share(), 1.0);
    EXPECT_DOUBLE_EQ(count_letters("ab чд").latin_share(), 0.5);
}

}  // namespace
}  // namespace hg::encode
