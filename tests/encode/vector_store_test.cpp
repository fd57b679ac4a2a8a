// SPDX-License-Identifier: Apache-2.0
#include "encode/vector_store.hpp"

#include "core/safetensors.hpp"
#include "encode/catalogues.hpp"

#include <gtest/gtest.h>

namespace hg::encode {
namespace {

data::IdMap ids(std::initializer_list<std::string_view> names) {
    data::IdMap map;
    for (const auto name : names) {
        map.intern(name);
    }
    return map;
}

ItemVectors two_vectors(std::string encoder) {
    ItemVectors out{.encoder = std::move(encoder)};
    out.vectors = Matrix<float>(2, 2, {1, 2, 3, 4});
    out.present = {1, 1};
    return out;
}

data::Dataset film_dataset() {
    data::Dataset dataset;
    dataset.name = "films";
    dataset.item_fields = film_catalogue();
    for (const auto* name : {"a", "b", "c", "d", "e", "f", "g", "only-in-the-log"}) {
        dataset.items.intern(name);
    }
    return dataset;
}

TEST(VectorStore, finds_rows_by_item_id_not_by_position) {
    const TempFolder folder;
    save_item_vectors(folder.path(), two_vectors("text"), ids({"x", "y"}));

    const auto loaded = value_or_throw(load_item_vectors(folder.path(), ids({"new", "y", "x"})));

    EXPECT_EQ(loaded.encoder, "text");
    EXPECT_EQ(loaded.present, (std::vector<std::uint8_t>{0, 1, 1}));
    EXPECT_EQ(loaded.vectors(1, 0), 3);
    EXPECT_EQ(loaded.vectors(2, 1), 2);
    EXPECT_EQ(loaded.vectors(0, 0), 0);
}

TEST(VectorStore, keeps_the_mask_of_fused_parts) {
    const TempFolder folder;
    auto vectors = two_vectors("fused");
    vectors.parts = {"text", "fields"};
    vectors.part_present = Matrix<std::uint8_t>(2, 2, {1, 0, 1, 1});
    save_item_vectors(folder.path(), vectors, ids({"x", "y"}));

    const auto loaded = value_or_throw(load_item_vectors(folder.path(), ids({"y", "x"})));

    EXPECT_EQ(loaded.parts, vectors.parts);
    EXPECT_EQ(loaded.part_present(0, 1), 1);
    EXPECT_EQ(loaded.part_present(1, 1), 0);
}

TEST(VectorStore, a_file_that_does_not_fit_itself_is_corrupt) {
    const TempFolder folder;
    const Matrix<float> vectors(2, 2);
    const std::vector<std::uint8_t> present{1};
    SafetensorsWriter writer;
    writer.add<float>("vectors", vectors.view());
    writer.add<std::uint8_t>("present", std::span<const std::uint8_t>{present});
    writer.add_strings("ids", std::vector<std::string>{"x", "y"});
    writer.save(folder.path() / "vectors.safetensors");

    const auto loaded = load_item_vectors(folder.path(), ids({"x", "y"}));

    ASSERT_FALSE(loaded.has_value());
    EXPECT_EQ(loaded.error().code(), ErrorCode::corrupt);
}

TEST(ContentFor, auto_prefers_what_is_on_disk_and_falls_to_fields) {
    const TempFolder folder;
    const auto dataset = film_dataset();
    SilentProgress silent;

    const auto computed = content_for(dataset, folder.path(), "auto", silent, {});
    ASSERT_TRUE(computed.has_value());
    EXPECT_EQ(computed->encoder, "fields");
    EXPECT_EQ(computed->n_items(), dataset.items.size());
    EXPECT_EQ(computed->present.back(), 0);

    const auto save = [&](const char* name) {
        save_item_vectors(vectors_folder(folder.path(), name), two_vectors(name), ids({"a", "b"}));
    };
    const auto chosen = [&](const char* choice) {
        return content_for(dataset, folder.path(), choice, silent, {})->encoder;
    };
    save("text");
    EXPECT_EQ(chosen("auto"), "text");
    save("fused");
    EXPECT_EQ(chosen("auto"), "fused");
    EXPECT_EQ(chosen("text"), "text");
    EXPECT_FALSE(content_for(dataset, folder.path(), "none", silent, {}).has_value());
}

TEST(ContentFor, says_how_to_make_vectors_that_are_not_there) {
    const TempFolder folder;
    SilentProgress silent;
    data::Dataset bare;
    bare.items.intern("a");

    EXPECT_FALSE(content_for(bare, folder.path(), "auto", silent, {}).has_value());
    EXPECT_THROW((void)content_for(bare, folder.path(), "fields", silent, {}), Error);
    try {
        (void)content_for(film_dataset(), folder.path(), "text", silent, {});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("honeyguide encode"), std::string::npos);
    }
}

}  // namespace
}  // namespace hg::encode
