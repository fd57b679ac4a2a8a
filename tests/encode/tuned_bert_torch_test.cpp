// SPDX-License-Identifier: Apache-2.0
#include "encode/bert.hpp"
#include "encode/tiny_bert.hpp"
#include "encode/tuned_bert_net.hpp"
#include "support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hg::encode {
namespace {

using testing::HasSubstr;

class TunedBert : public testing::Test {
  protected:
    TunedBert() { write_tiny_bert(folder_.path()); }

    [[nodiscard]] std::shared_ptr<BertTrunk> load(BertTrunkOptions options = {}) const {
        options.folder = folder_.path();
        return BertTrunk::load(options);
    }

    testing_support::TemporaryFolder folder_;
    std::vector<std::string> texts_{"the cats", "", "the cat 2001 the cats", "the cats", "猫"};
};

TEST_F(TunedBert, gives_the_vectors_of_the_encoder) {
    const auto encoder = BertEncoder::load({.folder = folder_.path()});
    const auto vectors = load()->vectors(texts_);

    encoder->encode(
        texts_,
        [&](std::size_t text, std::span<const float> wanted) {
            for (std::size_t j = 0; j < wanted.size(); ++j) {
                const auto row = static_cast<std::int64_t>(text);
                const auto found = vectors[row][static_cast<std::int64_t>(j)].item<float>();
                EXPECT_NEAR(found, wanted[j], 1e-5);
            }
        },
        {}
    );
}

TEST_F(TunedBert, layers_that_have_not_learned_yet_give_the_same_vectors) {
    const auto frozen = load()->vectors(texts_);
    for (const std::int64_t n_layers : {1, 2}) {
        const auto trunk = load({.folder = {}, .tuned_layers = n_layers});

        const auto tuned = trunk->make_tail()->forward(trunk->states(texts_));

        EXPECT_TRUE(torch::allclose(tuned, frozen, 1e-4, 1e-5)) << n_layers;
    }
}

TEST_F(TunedBert, only_the_last_layers_get_gradients) {
    const auto trunk = load({.folder = {}, .tuned_layers = 1});
    const auto tail = trunk->make_tail();

    tail->forward(trunk->states(texts_)).select(1, 0).sum().backward();

    EXPECT_EQ(tail->layers->size(), 1U);
    for (const auto& parameter : tail->named_parameters()) {
        EXPECT_TRUE(parameter.value().grad().defined()) << parameter.key();
    }
    EXPECT_FALSE(trunk->vectors(texts_).requires_grad());
    EXPECT_FALSE(trunk->states(texts_).hidden.requires_grad());
}

TEST_F(TunedBert, computes_a_text_once_while_it_is_remembered) {
    const auto trunk = load();
    const auto first = trunk->vectors(texts_);

    const auto again = trunk->vectors(texts_);

    EXPECT_EQ(trunk->n_computed(), 4U);  // "the cats" came twice
    EXPECT_TRUE(torch::equal(first, again));
}

TEST_F(TunedBert, forgets_rather_than_fill_the_memory) {
    const auto trunk = load({.folder = {}, .memory_bytes = 1000});
    const auto first = trunk->vectors(texts_);
    std::vector<std::string> many;
    for (int i = 0; i < 200; ++i) {
        many.push_back("the cat " + std::to_string(i));
    }

    (void)trunk->vectors(many);
    const auto again = trunk->vectors(texts_);

    EXPECT_GT(trunk->n_computed(), 4U + 200U);
    EXPECT_TRUE(torch::allclose(first, again, 1e-5, 1e-6));
}

TEST_F(TunedBert, cuts_long_texts_and_refuses_layers_that_are_not_there) {
    const std::vector<std::string> two{"the cat the cat the cat", "the cat the the the"};
    const auto vectors = load({.folder = {}, .max_tokens = 4})->vectors(two);
    EXPECT_TRUE(torch::equal(vectors[0], vectors[1]));

    try {
        (void)load({.folder = {}, .tuned_layers = 3});
        FAIL() << "three of two layers";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("3 layers cannot be tuned"));
        EXPECT_THAT(error.what(), HasSubstr("has 2"));
    }
}

}  // namespace
}  // namespace hg::encode
