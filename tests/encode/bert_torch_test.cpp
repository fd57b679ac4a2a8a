// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "core/matrix.hpp"
#include "encode/bert.hpp"
#include "encode/catalogues.hpp"
#include "encode/tiny_bert.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>

namespace hg::encode {
namespace {

Matrix<float> encode_all(const BertEncoder& encoder, const std::vector<std::string>& texts) {
    Matrix<float> out(texts.size(), encoder.dim());
    encoder.encode(
        texts,
        [&](std::size_t i, std::span<const float> v) { std::ranges::copy(v, out.row(i).begin()); },
        {}
    );
    return out;
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest =
            std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return largest;
}

const std::vector<std::string>& hostile_texts() {
    static const std::vector<std::string> texts{
        "",
        "千与千寻",
        "the cats",
        "龙猫 2001，千 the cat the cat the cat",
        std::string(1'000'000, 'x'),
        "\xff\xfe",
        "👩‍👩‍👧‍👦 e\xCC\x81 \x01",
        "[SEP][CLS]"
    };
    return texts;
}

TEST(Bert, loads_a_chinese_layout_and_reads_ideographs) {
    const TempFolder folder;
    write_tiny_bert(folder.path());
    const auto encoder = BertEncoder::load({.folder = folder.path()});

    EXPECT_EQ(
        encoder->tokenizer().encode("千与千寻"), (std::vector<std::int32_t>{2, 5, 6, 5, 7, 3})
    );
    const auto vectors = encode_all(*encoder, {"千与千寻", "the cats"});
    for (std::size_t row = 0; row < 2; ++row) {
        double square = 0;
        for (const float v : vectors.row(row)) {
            square += static_cast<double>(v) * static_cast<double>(v);
        }
        EXPECT_NEAR(square, 1.0, 1e-5);
    }
}

TEST(Bert, a_batch_equals_one_by_one_and_twice_gives_the_same_bytes) {
    const TempFolder folder;
    write_tiny_bert(folder.path());
    for (const std::size_t budget : {1U, 40U, 4096U}) {
        const auto encoder = BertEncoder::load({.folder = folder.path(), .batch_tokens = budget});
        const auto batch = encode_all(*encoder, hostile_texts());
        const auto again = encode_all(*encoder, hostile_texts());
        EXPECT_TRUE(std::ranges::equal(batch.values(), again.values()));
        for (std::size_t i = 0; i < hostile_texts().size(); ++i) {
            const auto one = encode_all(*encoder, {hostile_texts()[i]});
            EXPECT_LT(largest_difference(one.row(0), batch.row(i)), 1e-6) << i;
        }
    }
}

TEST(Bert, reads_weights_with_and_without_prefix_and_in_half_precision) {
    const TempFolder with;
    const TempFolder without;
    const TempFolder half;
    write_tiny_bert(with.path());
    write_tiny_bert(without.path(), {.prefix = ""});
    write_tiny_bert(half.path(), {.prefix = "bert.", .dtype = DType::bf16});
    const std::vector<std::string> texts{"千与千寻", "the cats"};

    const auto a = encode_all(*BertEncoder::load({.folder = with.path()}), texts);
    const auto b = encode_all(*BertEncoder::load({.folder = without.path()}), texts);
    const auto c = encode_all(*BertEncoder::load({.folder = half.path()}), texts);

    EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
    EXPECT_LT(largest_difference(a.values(), c.values()), 0.05);
    EXPECT_GT(largest_difference(a.values(), c.values()), 0.0);
}

TEST(Bert, in_bf16_stays_near_fp32) {
    const TempFolder folder;
    write_tiny_bert(folder.path());
    const auto fp32 = BertEncoder::load({.folder = folder.path()});
    const auto bf16 = BertEncoder::load({.folder = folder.path(), .precision = Precision::bf16});

    EXPECT_LT(
        largest_difference(
            encode_all(*fp32, hostile_texts()).values(), encode_all(*bf16, hostile_texts()).values()
        ),
        0.05
    );
    EXPECT_NE(fp32->hash(), bf16->hash());
}

TEST(Bert, pools_the_first_token_without_normalising_when_the_folder_says_so) {
    const TempFolder mean;
    const TempFolder first;
    write_tiny_bert(mean.path());
    write_tiny_bert(first.path(), {.prefix = "bert.", .is_cls_pooled = true});
    const std::vector<std::string> texts{"千与千寻"};

    const auto a = encode_all(*BertEncoder::load({.folder = mean.path()}), texts);
    const auto b = encode_all(*BertEncoder::load({.folder = first.path()}), texts);

    EXPECT_GT(largest_difference(a.values(), b.values()), 0.01);
    double square = 0;
    for (const float v : b.values()) {
        square += static_cast<double>(v) * static_cast<double>(v);
    }
    EXPECT_GT(std::abs(square - 1), 0.01);
}

TEST(Bert, stops_when_asked) {
    const TempFolder folder;
    write_tiny_bert(folder.path());
    const auto encoder = BertEncoder::load({.folder = folder.path(), .batch_tokens = 1});
    std::stop_source stop;
    std::size_t n_done = 0;

    encoder->encode(
        hostile_texts(),
        [&](std::size_t, std::span<const float>) {
            ++n_done;
            stop.request_stop();
        },
        stop.get_token()
    );

    EXPECT_EQ(n_done, 1U);
}

TEST(Bert, names_what_does_not_fit) {
    const TempFolder folder;
    write_tiny_bert(folder.path());
    const auto message = [&] {
        try {
            (void)BertEncoder::load({.folder = folder.path()});
        } catch (const Error& error) {
            return std::string{error.what()};
        }
        return std::string{"no error"};
    };
    const auto config = value_or_throw(read_file(folder.path() / "config.json"));
    const auto write_config = [&](nlohmann::json change) {
        auto json = nlohmann::json::parse(config);
        json.update(change);
        std::ofstream{folder.path() / "config.json"} << json.dump();
    };

    write_config({{"model_type", "roberta"}});
    EXPECT_NE(message().find("roberta"), std::string::npos);
    write_config({{"intermediate_size", 17}});
    EXPECT_NE(
        message().find("intermediate.dense.weight has shape [16, 8], expected [17, 8]"),
        std::string::npos
    ) << message();
    write_config({{"num_hidden_layers", 3}});
    EXPECT_NE(message().find("encoder.layer.2"), std::string::npos);
    write_config({{"hidden_size", std::int64_t{1} << 40}});
    EXPECT_NE(message().find("makes no sense"), std::string::npos);
    write_config({{"vocab_size", 3}});
    EXPECT_NE(message().find("vocab.txt"), std::string::npos);
    write_config({{"hidden_size", "wide"}});
    EXPECT_NE(message().find("config.json"), std::string::npos);
    write_config(nlohmann::json::object());
    std::filesystem::resize_file(folder.path() / "model.safetensors", 50);
    EXPECT_NE(message().find("model.safetensors"), std::string::npos);
    std::filesystem::remove(folder.path() / "vocab.txt");
    EXPECT_NE(message().find("make deps"), std::string::npos);
}

/// Token ids and vectors of sentence-transformers, made by tests/encode/make_golden.py.
TEST(Bert, equals_sentence_transformers_on_the_golden_texts) {
    const std::filesystem::path folder = HG_SOURCE_DIR "/.cache/models/all-MiniLM-L6-v2";
    if (!std::filesystem::exists(folder / "model.safetensors")) {
        GTEST_SKIP() << "SKIPPED: no text model at " << folder << "; `make deps` fetches it";
    }
    const auto golden = nlohmann::json::parse(
        value_or_throw(read_file(HG_SOURCE_DIR "/tests/encode/golden/all-MiniLM-L6-v2.json"))
    );
    std::vector<std::string> texts;
    for (const auto& entry : golden.at("texts")) {
        std::string text;
        const auto times = entry.value("times", 1);
        for (int i = 0; i < times; ++i) {
            text += entry.at("text").get<std::string>();
        }
        texts.push_back(std::move(text));
    }
    const auto encoder = BertEncoder::load({.folder = folder});

    const auto vectors = encode_all(*encoder, texts);

    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto& entry = golden.at("texts")[i];
        EXPECT_EQ(
            encoder->tokenizer().encode(texts[i]), entry.at("ids").get<std::vector<std::int32_t>>()
        ) << i;
        const auto expected = entry.at("vector").get<std::vector<float>>();
        EXPECT_LT(largest_difference(vectors.row(i).first(expected.size()), expected), 1e-5) << i;
    }
}

}  // namespace
}  // namespace hg::encode
