// SPDX-License-Identifier: Apache-2.0
#include "core/file.hpp"
#include "encode/bert.hpp"
#include "encode/masked_bert_net.hpp"
#include "encode/tiny_bert.hpp"
#include "support/temporary_folder.hpp"

#include <torch/utils.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <span>

namespace hg::encode {
namespace {

using testing::HasSubstr;

/// Two texts of five and three tokens.
PaddedTokens two_texts() {
    const std::array<std::int32_t, 5> cats{2, 10, 11, 12, 3};
    const std::array<std::int32_t, 3> dragon{2, 8, 3};
    return pad_tokens(
        std::vector<std::span<const std::int32_t>>{cats, dragon}, 0, torch::Device{"cpu"}
    );
}

torch::Tensor places_of(const std::vector<std::int64_t>& places) {
    return torch::tensor(places, torch::kInt64);
}

/// A folder with a model whose weights and head have moved away from those of `from`.
LoadedMaskedBert moved_bert(const std::filesystem::path& from) {
    auto bert = load_masked_bert(from, Rng{7});
    const torch::NoGradGuard no_grad;
    Rng rng{13};
    for (auto& parameter : bert.net->parameters()) {
        parameter.mul_(1 + 0.2 * rng.normal()).add_(0.1 * rng.normal());
    }
    return bert;
}

class MaskedBertFolder : public testing::Test {
  protected:
    MaskedBertFolder() { write_tiny_bert(from_.path()); }

    testing_support::TemporaryFolder from_;
    testing_support::TemporaryFolder to_;
};

TEST_F(MaskedBertFolder, the_head_is_the_formula_written_out) {
    const torch::NoGradGuard no_grad;
    auto net = moved_bert(from_.path()).net;
    const auto in = two_texts();
    const auto states = net->bert->forward(in.ids, padding_bias(in.real, torch::kFloat32));

    const auto logits =
        net->forward(in, places_of({2, 6}));  // "cat" of the first, 龙 of the second

    const auto n_pieces = static_cast<std::int64_t>(tiny_vocabulary().size());
    ASSERT_EQ(logits.sizes(), (std::vector<std::int64_t>{2, n_pieces}));
    const auto at = [](const torch::Tensor& t, std::int64_t i, std::int64_t j) {
        return t[i][j].item<double>();
    };
    const std::array asked{states[0][2], states[1][1]};
    for (std::size_t n = 0; n < asked.size(); ++n) {
        std::array<double, 8> hidden{};
        double mean = 0;
        for (std::int64_t i = 0; i < 8; ++i) {
            double x = net->dense->bias[i].item<double>();
            for (std::int64_t j = 0; j < 8; ++j) {
                x += at(net->dense->weight, i, j) * asked[n][j].item<double>();
            }
            auto& h = hidden[static_cast<std::size_t>(i)];
            h = x * (1 + std::erf(x / std::sqrt(2.0))) / 2;  // gelu
            mean += h / 8;
        }
        double variance = 0;
        for (const auto h : hidden) {
            variance += (h - mean) * (h - mean) / 8;
        }
        for (std::int64_t piece = 0; piece < n_pieces; ++piece) {
            double wanted = net->bias[piece].item<double>();
            for (std::int64_t i = 0; i < 8; ++i) {
                const auto normal =
                    (hidden[static_cast<std::size_t>(i)] - mean) / std::sqrt(variance + 1e-12);
                wanted += at(net->bert->words->weight, piece, i) *
                          (normal * net->norm->weight[i].item<double>() +
                           net->norm->bias[i].item<double>());
            }
            EXPECT_NEAR(at(logits, static_cast<std::int64_t>(n), piece), wanted, 1e-4);
        }
    }
}

TEST_F(MaskedBertFolder, learns_everywhere_through_the_asked_places_alone) {
    auto net = load_masked_bert(from_.path(), Rng{7}).net;

    net->forward(two_texts(), places_of({1})).square().sum().backward();

    for (const auto& parameter : net->named_parameters()) {
        EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
    }
    const auto by_position = net->bert->positions->weight.grad().abs().sum(1);
    EXPECT_GT(by_position[4].item<float>(), 0);  // the first text has five tokens
    EXPECT_EQ(by_position[5].item<float>(), 0);
}

TEST_F(MaskedBertFolder, what_is_written_gives_the_vectors_and_guesses_of_the_net) {
    const torch::NoGradGuard no_grad;
    write_tiny_bert(from_.path(), {.prefix = "", .is_cls_pooled = true});
    auto bert = moved_bert(from_.path());

    save_masked_bert(bert.net, from_.path(), to_.path());

    const std::vector<std::string> texts{"the cats", "龙", "the cat 2001 the cats"};
    const auto encoder = BertEncoder::load({.folder = to_.path()});
    encoder->encode(
        texts,
        [&](std::size_t text, std::span<const float> found) {
            const auto ids = bert.tokenizer.encode(texts[text]);
            const std::vector<std::span<const std::int32_t>> rows{ids};
            const auto wanted = bert.net->vectors(pad_tokens(rows, 0, torch::Device{"cpu"}));
            for (std::size_t j = 0; j < found.size(); ++j) {
                const auto value = wanted[0][static_cast<std::int64_t>(j)].item<float>();
                EXPECT_NEAR(found[j], value, 1e-5);
            }
        },
        {}
    );
    auto again = load_masked_bert(to_.path(), Rng{99});
    EXPECT_TRUE(again.has_head);
    EXPECT_FALSE(bert.has_head);
    EXPECT_TRUE(torch::equal(
        again.net->forward(two_texts(), places_of({1, 2})),
        bert.net->forward(two_texts(), places_of({1, 2}))
    ));
}

TEST_F(MaskedBertFolder, other_programs_find_the_names_they_look_for) {
    save_masked_bert(load_masked_bert(from_.path(), Rng{7}).net, from_.path(), to_.path());

    const auto file = value_or_throw(SafetensorsFile::open(to_.path() / "model.safetensors"));
    EXPECT_EQ(file.metadata().at("format"), "pt");
    for (const auto* name :
         {"bert.embeddings.word_embeddings.weight",
          "bert.encoder.layer.1.attention.self.key.bias",
          "cls.predictions.bias",
          "cls.predictions.transform.LayerNorm.weight",
          "cls.predictions.transform.dense.weight"}) {
        EXPECT_TRUE(file.contains(name)) << name;
    }
    EXPECT_FALSE(file.contains("cls.predictions.decoder.weight"));
    const auto config =
        nlohmann::json::parse(value_or_throw(read_file(to_.path() / "config.json")));
    EXPECT_EQ(config["architectures"][0], "BertForMaskedLM");
    EXPECT_EQ(config["hidden_size"], 8);
}

TEST_F(MaskedBertFolder, weights_it_does_not_know_are_handed_on) {
    const auto path = from_.path() / "model.safetensors";
    SafetensorsWriter writer;
    {
        const auto file = value_or_throw(SafetensorsFile::open(path));
        for (const auto& [name, view] : file.tensors()) {
            const auto& bytes = view.bytes;
            writer.add_bytes(name, view.dtype, view.shape, {bytes.begin(), bytes.end()});
        }
    }
    const std::vector<float> pooler{1, 2, 3};
    writer.add<float>("bert.pooler.dense.bias", std::span<const float>{pooler});
    writer.save(path);

    save_masked_bert(load_masked_bert(from_.path(), Rng{7}).net, from_.path(), to_.path());

    const auto written = value_or_throw(SafetensorsFile::open(to_.path() / "model.safetensors"));
    const auto kept = value_or_throw(written.values<float>("bert.pooler.dense.bias"));
    EXPECT_THAT(std::vector<float>(kept.begin(), kept.end()), testing::ElementsAre(1, 2, 3));
}

TEST_F(MaskedBertFolder, a_fresh_head_is_the_seed_s) {
    const auto head = [&](std::uint64_t seed) {
        return load_masked_bert(from_.path(), Rng{seed}).net->dense->weight.detach();
    };

    EXPECT_TRUE(torch::equal(head(7), head(7)));
    EXPECT_FALSE(torch::equal(head(7), head(8)));
}

TEST_F(MaskedBertFolder, a_vocabulary_without_a_mask_is_refused) {
    write_tiny_bert(from_.path(), {.pieces = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "the"}});
    try {
        (void)load_masked_bert(from_.path(), Rng{7});
        FAIL() << "no [MASK]";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("has no [MASK]"));
        EXPECT_THAT(error.hint(), HasSubstr("bert-base"));
    }
}

}  // namespace
}  // namespace hg::encode
