// SPDX-License-Identifier: Apache-2.0
// MaskedBert: a BERT that guesses the word pieces hidden from it, to go on training it on texts of
// one's own.
//
// The head of Devlin et al. (2019), section 3.1 and their run_pretraining.py: a hidden layer, the
// activation of the model, LayerNorm, and the word embeddings again as the last map, with a bias
// per piece. A folder with cls.predictions.* brings its head; to another we give a fresh one
// (normal, deviation 0.02). What is saved is a folder of the Hugging Face layout again: for
// BertEncoder, sentence-transformers (BertModel) and BertForMaskedLM. For train; the net has
// gradients everywhere.
//
//   const auto bert = load_masked_bert(".cache/models/all-MiniLM-L6-v2", Rng{7});
//   const auto logits = bert.net->forward(tokens, places);     // [n, vocabulary]
//   save_masked_bert(bert.net, ".cache/models/all-MiniLM-L6-v2", "models/mine");
#pragma once

#include "core/rng.hpp"
#include "encode/bert_net.hpp"
#include "encode/wordpiece.hpp"

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <filesystem>
#include <string>

namespace hg::encode {

struct MaskedBertImpl : torch::nn::Module {
    /// Takes over `pretrained`. The head is not filled in.
    MaskedBertImpl(const BertConfig& of, BertNet pretrained);

    /// places: [n] int64 into the flattened [batch x time]. Returns logits [n, vocabulary].
    torch::Tensor forward(const PaddedTokens& in, const torch::Tensor& places);
    /// What BertEncoder makes of the texts: [batch, hidden].
    torch::Tensor vectors(const PaddedTokens& in);

    BertConfig config;
    BertNet bert{nullptr};
    torch::nn::Linear dense{nullptr};
    torch::nn::LayerNorm norm{nullptr};
    torch::Tensor bias;  // [vocabulary]

  private:
    torch::Tensor states(const PaddedTokens& in);
};

TORCH_MODULE(MaskedBert);

struct LoadedMaskedBert {
    WordPiece tokenizer;
    MaskedBert net;
    std::string hash;       // of the folder, as BertEncoder has it
    bool has_head = false;  // whether the folder brought one
};

/// `rng`: of a fresh head. Throws Error: what is missing, damaged or not supported.
[[nodiscard]] LoadedMaskedBert load_masked_bert(const std::filesystem::path& folder, Rng rng);

/// Writes `net` to the folder `to`, with all that `from` (where it was loaded) says of tokens and
/// pooling, and weights we do not use (the pooler) as they are. Throws Error.
void save_masked_bert(
    const MaskedBert& net, const std::filesystem::path& from, const std::filesystem::path& to
);

}  // namespace hg::encode
