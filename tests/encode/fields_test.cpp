// SPDX-License-Identifier: Apache-2.0
#include "encode/fields.hpp"

#include "encode/catalogues.hpp"
#include "encode/unicode.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hg::encode {
namespace {

ItemVectors represent(const ContentModel& model, const data::Catalogue& items) {
    SilentProgress silent;
    return model.represent(items, silent, {});
}

FieldsOptions with_dim(std::int64_t dim) {
    FieldsOptions options;
    options.dim = dim;
    return options;
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    }
    return sum;
}

TEST(Words, are_lower_case_in_every_script_and_ideographs_stand_alone) {
    EXPECT_EQ(
        lower_case_words("Amélie ÉTÉ-2001 ΣΟΦΙΑ 宫崎骏film"),
        (std::vector<std::string>{"amélie", "été", "2001", "σοφια", "宫", "崎", "骏", "film"})
    );
    EXPECT_TRUE(lower_case_words("").empty());
    EXPECT_EQ(
        lower_case_words("a\xff"
                         "b"),
        (std::vector<std::string>{"a", "b"})
    );
}

TEST(TermTable, keeps_terms_of_enough_rows_and_weighs_rare_ones_more) {
    const std::vector<std::vector<std::string>> documents{
        {"star", "wars"}, {"star", "trek"}, {"star", "trek"}, {"heat"}
    };
    const auto table = TermTable::learn(documents, {.min_df = 2});

    EXPECT_EQ(table.terms(), (std::vector<std::string>{"star", "trek"}));
    EXPECT_GT(table.idf()[1], table.idf()[0]);

    SparseRows rows{.n_cols = 5};
    table.append(std::vector<std::string>{"trek", "unknown"}, TermWeight::tf_idf, 3, rows);
    rows.end_row();
    ASSERT_EQ(rows.columns, (std::vector<std::uint32_t>{4}));
    EXPECT_FLOAT_EQ(rows.values[0], 1.0F);
}

TEST(Fields, puts_like_items_near_each_other) {
    const auto items = film_catalogue();
    const auto model = FieldsEncoder::learn(items, {}, Rng{7});

    const auto out = represent(*model, items);

    const auto row = [&](std::size_t i) { return out.vectors.row(i); };
    EXPECT_GT(dot(row(0), row(1)), dot(row(0), row(4)));
    EXPECT_GT(dot(row(2), row(5)), dot(row(2), row(0)));
}

TEST(Fields, marks_an_item_of_which_nothing_is_known) {
    const auto items = film_catalogue();
    const auto out = represent(*FieldsEncoder::learn(items, {}, Rng{7}), items);

    EXPECT_EQ(out.present, (std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1, 0}));
    EXPECT_TRUE(std::ranges::all_of(out.vectors.row(6), [](float v) { return v == 0.0F; }));
}

TEST(Fields, goes_through_pca_when_wider_than_asked) {
    const auto items = film_catalogue();
    const auto model = FieldsEncoder::learn(items, with_dim(3), Rng{7});

    const auto out = represent(*model, items);

    EXPECT_EQ(out.dim(), 3U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_NEAR(dot(out.vectors.row(i), out.vectors.row(i)), 1, 1e-5);
    }
}

TEST(Fields, loaded_encodes_one_new_item_to_the_same_bytes) {
    const auto items = film_catalogue();
    const TempFolder folder;
    for (const std::int64_t dim : {3, 64}) {
        const auto model = FieldsEncoder::learn(items, with_dim(dim), Rng{7});
        model->save(folder.path());
        const auto all = represent(*model, items);

        const auto loaded = FieldsEncoder::load(folder.path());
        for (std::size_t i = 0; i < items.n_rows(); ++i) {
            const auto one = represent(*loaded, one_row(items, i));
            EXPECT_TRUE(std::ranges::equal(one.vectors.row(0), all.vectors.row(i))) << i;
            EXPECT_EQ(one.present[0], all.present[i]);
        }
    }
}

TEST(Fields, reads_genres_of_a_new_item_given_as_text) {
    const auto items = film_catalogue();
    const auto model = FieldsEncoder::learn(items, {}, Rng{7});
    const data::Catalogue typed{1, {categories_field("genres", {{"Horror", "Sci-Fi"}})}};
    const data::Catalogue as_text{1, {text_field("genres", {"Horror|Sci-Fi"})}};

    const auto a = represent(*model, typed);
    const auto b = represent(*model, as_text);
    EXPECT_TRUE(std::ranges::equal(a.vectors.values(), b.vectors.values()));
}

TEST(Fields, refuses_a_catalogue_without_fields_and_says_what_to_add) {
    try {
        (void)FieldsEncoder::learn(data::Catalogue{3, {}}, {}, Rng{7});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_NE(error.hint().find("genres"), std::string::npos);
    }
}

TEST(Fields, files_that_are_missing_or_do_not_fit_are_named_errors) {
    const TempFolder folder;
    EXPECT_THROW((void)FieldsEncoder::load(folder.path()), Error);
    const auto items = film_catalogue();
    FieldsEncoder::learn(items, with_dim(3), Rng{7})->save(folder.path());
    const TempFolder other;
    FieldsEncoder::learn(one_row(items, 0), with_dim(64), Rng{7})->save(other.path());
    std::filesystem::copy_file(
        other.path() / "encoder.json",
        folder.path() / "encoder.json",
        std::filesystem::copy_options::overwrite_existing
    );
    std::filesystem::resize_file(folder.path() / "encoder.safetensors", 100);
    EXPECT_THROW((void)FieldsEncoder::load(folder.path()), Error);
}

}  // namespace
}  // namespace hg::encode
