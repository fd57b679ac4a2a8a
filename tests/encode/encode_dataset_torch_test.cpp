// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "data/dataset.hpp"
#include "encode/catalogues.hpp"
#include "encode/encode_dataset.hpp"
#include "encode/encoder_entry.hpp"
#include "encode/encoder_files.hpp"
#include "encode/neighbours.hpp"
#include "encode/tiny_bert.hpp"
#include "encode/vector_store.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace hg::encode {
namespace {

/// Counts the texts that went through the network.
class CountingProgress final : public ProgressSink {
  public:
    void show(const State& state) override { last_total = state.total; }

    std::size_t last_total = 0;
};

class EncodeDataset : public testing::Test {
  protected:
    void SetUp() override {
        write_tiny_bert(model());
        std::filesystem::create_directories(data());
        std::ofstream{data() / "interactions.csv"} << "user_id,item_id\nu,1\nu,2\n";
        write_items("1,the cat,Animal\n2,cats,Animal\n3,2001,Space\n");
    }

    void write_items(const std::string& rows) {
        std::ofstream{data() / "items.csv"} << "item_id,title,genres\n" << rows;
    }

    [[nodiscard]] std::filesystem::path data() const { return folder_.path() / "data"; }

    [[nodiscard]] std::filesystem::path model() const { return folder_.path() / "model"; }

    EncodeSummary encode(const std::string& encoder, std::stop_token stop = {}) {
        EncodeRequest request{.folder = data(), .encoder = encoder};
        request.settings.set("model", model().string());
        progress.last_total = 0;
        return encode_dataset(request, progress, std::move(stop));
    }

    TempFolder folder_;
    CountingProgress progress;
};

TEST_F(EncodeDataset, writes_vectors_that_content_for_finds) {
    const auto made = encode("text");

    EXPECT_EQ(made.n_items, 3U);
    EXPECT_EQ(made.n_present, 3U);
    EXPECT_EQ(made.dim, 8U);
    const auto dataset = value_or_throw(data::open_dataset(data()));
    const auto content = content_for(dataset, data(), "auto", progress, {});
    ASSERT_TRUE(content.has_value());
    EXPECT_EQ(content->encoder, "text");
    EXPECT_EQ(nearest_items(*content, 0, 5).size(), 2U);
}

TEST_F(EncodeDataset, encodes_one_text_again_after_one_item_was_added) {
    encode("text");
    EXPECT_EQ(progress.last_total, 3U);
    encode("text");
    EXPECT_EQ(progress.last_total, 0U);
    write_items("1,the cat,Animal\n2,cats,Animal\n3,2001,Space\n4,龙猫,Animal\n");
    EXPECT_EQ(encode("text").n_items, 4U);
    EXPECT_EQ(progress.last_total, 1U);
    encode("fused");
    EXPECT_EQ(progress.last_total, 0U);
}

TEST_F(EncodeDataset, keeps_what_was_done_when_stopped) {
    std::stop_source stop;
    stop.request_stop();
    try {
        encode("text", stop.get_token());
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::interrupted);
    }
    EXPECT_FALSE(std::filesystem::exists(data() / "vectors" / "text" / "vectors.safetensors"));
    EXPECT_EQ(encode("text").n_present, 3U);
}

TEST_F(EncodeDataset, a_saved_text_encoder_refuses_another_model) {
    encode("text");
    const auto folder = vectors_folder(data(), "text");
    EXPECT_EQ(load_encoder(folder)->dim(), 8U);
    write_tiny_bert(model(), {.prefix = "bert.", .dtype = DType::bf16});
    try {
        (void)load_encoder(folder);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::conflict);
    }
}

TEST_F(EncodeDataset, fused_says_which_part_was_missing) {
    write_items("1,the cat,Animal\n2,cats,Animal\n3,,Space\n4,2001,\n");
    encode("fused");
    const auto dataset = value_or_throw(data::open_dataset(data()));
    const auto vectors =
        value_or_throw(load_item_vectors(vectors_folder(data(), "fused"), dataset.items));

    EXPECT_EQ(vectors.parts, (std::vector<std::string>{"text", "fields"}));
    EXPECT_EQ(vectors.part_present.rows(), dataset.items.size());
    EXPECT_EQ(vectors.part_present(0, 0), 1);
    EXPECT_EQ(vectors.part_present(0, 1), 1);
}

TEST_F(EncodeDataset, a_manifest_of_another_version_is_refused) {
    encode("text");
    std::ofstream{vectors_folder(data(), "text") / "encoder.json"}
        << R"({"encoder": "text", "format_version": 99})";
    EXPECT_THROW((void)load_encoder(vectors_folder(data(), "text")), Error);
}

TEST_F(EncodeDataset, says_that_a_dataset_has_no_items_file) {
    std::filesystem::remove(data() / "items.csv");
    try {
        encode("text");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(error.hint().find("items.csv"), std::string::npos);
    }
}

}  // namespace
}  // namespace hg::encode
