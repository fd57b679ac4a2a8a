// SPDX-License-Identifier: Apache-2.0
// BertNet: the transformer encoder of BERT (Devlin et al., 2019) as torch modules of our own.
//
// Post-norm layers; query, key and value are one linear map; attention is torch's fused kernel.
// Dropout is left out: we encode, and fine-tuning of small encoders does without. Private to this
// room; other rooms take tuned_bert_net.hpp.
#pragma once

#include "core/safetensors.hpp"
#include "encode/bert_config.hpp"
#include "encode/wordpiece.hpp"

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace hg::encode {

struct BertLayerImpl : torch::nn::Module {
    explicit BertLayerImpl(const BertConfig& config);
    /// x: [batch, time, hidden]; bias: [batch, 1, 1, time], 0 or -inf, or undefined.
    torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& bias);

    std::int64_t heads;
    Activation activation;
    torch::nn::Linear qkv{nullptr};
    torch::nn::Linear attended{nullptr};
    torch::nn::LayerNorm attended_norm{nullptr};
    torch::nn::Linear up{nullptr};
    torch::nn::Linear down{nullptr};
    torch::nn::LayerNorm norm{nullptr};
};

TORCH_MODULE(BertLayer);

struct BertNetImpl : torch::nn::Module {
    explicit BertNetImpl(const BertConfig& config);
    /// ids: [batch, time] int64; bias as above. Returns [batch, time, hidden].
    torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& bias);
    /// What goes into the first layer.
    torch::Tensor embed(const torch::Tensor& ids);
    /// Layers [first, last) of x, [batch, time, hidden].
    torch::Tensor run_layers(
        torch::Tensor x, const torch::Tensor& bias, std::int64_t first, std::int64_t last
    );

    torch::nn::Embedding words{nullptr};
    torch::nn::Embedding positions{nullptr};
    torch::nn::Embedding types{nullptr};
    torch::nn::LayerNorm norm{nullptr};
    torch::nn::ModuleList layers{nullptr};
};

TORCH_MODULE(BertNet);

[[nodiscard]] torch::Tensor activate(const torch::Tensor& x, Activation activation);

/// Texts of any length as one rectangle.
struct PaddedTokens {
    torch::Tensor ids;   // [batch, time] int64
    torch::Tensor real;  // [batch, time] 1, or 0 where padded; undefined where nothing is
};

/// rows: at least one.
[[nodiscard]] PaddedTokens pad_tokens(
    std::span<const std::span<const std::int32_t>> rows, std::int32_t pad_id, torch::Device device
);

/// 0 where a token is real and -inf where it is padding: [batch, 1, 1, time] of real [batch, time],
/// 1 or 0.
[[nodiscard]] torch::Tensor padding_bias(const torch::Tensor& real, torch::ScalarType dtype);

/// One vector per text as the model's folder says: mean or first token, length 1 where it says so.
/// hidden: [batch, time, hidden]; real as above, undefined = all.
[[nodiscard]] torch::Tensor pool_tokens(
    const torch::Tensor& hidden, const torch::Tensor& real, const BertConfig& config
);

/// Tokenizer, sizes and weights of a folder. Throws Error: what is missing, damaged or does not fit.
struct LoadedBert {
    WordPiece tokenizer;
    BertConfig config;
    BertNet net;
    std::string hash;  // of all that decides the vectors
};

[[nodiscard]] LoadedBert load_bert(const std::filesystem::path& folder, std::string_view precision);

}  // namespace hg::encode
