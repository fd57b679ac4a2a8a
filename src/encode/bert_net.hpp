// SPDX-License-Identifier: Apache-2.0
// BertNet: the transformer encoder of BERT (Devlin et al., 2019) as torch modules of our own.
//
// Post-norm layers; query, key and value are one linear map; attention is torch's fused kernel.
// Dropout is left out: we encode, and fine-tuning of small encoders does without. Private to this
// room.
#pragma once

#include "core/safetensors.hpp"
#include "encode/bert_config.hpp"

#include <torch/nn/modules.h>
#include <torch/types.h>

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

    torch::nn::Embedding words{nullptr};
    torch::nn::Embedding positions{nullptr};
    torch::nn::Embedding types{nullptr};
    torch::nn::LayerNorm norm{nullptr};
    torch::nn::ModuleList layers{nullptr};
};

TORCH_MODULE(BertNet);

/// Copies the weights of a Hugging Face checkpoint (F32, F16 or BF16; names with or without
/// "bert."). Throws Error naming the tensor that is missing or has another shape.
void load_bert_weights(BertNet& net, const BertConfig& config, const SafetensorsFile& file);

}  // namespace hg::encode
