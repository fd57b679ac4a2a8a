// SPDX-License-Identifier: Apache-2.0
#include "encode/bert_net.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "encode/bert_checkpoint_net.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace hg::encode {
namespace {

torch::nn::LayerNorm layer_norm(const BertConfig& config) {
    return torch::nn::LayerNorm{
        torch::nn::LayerNormOptions({config.hidden}).eps(config.layer_norm_eps)
    };
}

}  // namespace

BertLayerImpl::BertLayerImpl(const BertConfig& config)
    : heads(config.heads), activation(config.activation) {
    qkv = register_module("qkv", torch::nn::Linear(config.hidden, 3 * config.hidden));
    attended = register_module("attended", torch::nn::Linear(config.hidden, config.hidden));
    attended_norm = register_module("attended_norm", layer_norm(config));
    up = register_module("up", torch::nn::Linear(config.hidden, config.intermediate));
    down = register_module("down", torch::nn::Linear(config.intermediate, config.hidden));
    norm = register_module("norm", layer_norm(config));
}

torch::Tensor BertLayerImpl::forward(const torch::Tensor& x, const torch::Tensor& bias) {
    const auto batch = x.size(0);
    const auto time = x.size(1);
    const auto hidden = x.size(2);
    // [batch, time, 3 hidden] -> 3 x [batch, heads, time, hidden / heads]
    const auto parts =
        qkv(x).view({batch, time, 3, heads, hidden / heads}).permute({2, 0, 3, 1, 4}).unbind(0);
    const auto mask = bias.defined() ? std::optional<torch::Tensor>{bias} : std::nullopt;
    const auto context = at::scaled_dot_product_attention(parts[0], parts[1], parts[2], mask)
                             .transpose(1, 2)
                             .reshape({batch, time, hidden});
    const auto after = attended_norm(attended(context) + x);
    return norm(down(activate(up(after), activation)) + after);
}

BertNetImpl::BertNetImpl(const BertConfig& config) {
    words = register_module("words", torch::nn::Embedding(config.vocabulary, config.hidden));
    positions = register_module("positions", torch::nn::Embedding(config.positions, config.hidden));
    types = register_module("types", torch::nn::Embedding(config.token_types, config.hidden));
    norm = register_module("norm", layer_norm(config));
    layers = register_module("layers", torch::nn::ModuleList());
    for (std::int64_t i = 0; i < config.layers; ++i) {
        layers->push_back(BertLayer(config));
    }
}

torch::Tensor BertNetImpl::forward(const torch::Tensor& ids, const torch::Tensor& bias) {
    return run_layers(embed(ids), bias, 0, static_cast<std::int64_t>(layers->size()));
}

torch::Tensor BertNetImpl::embed(const torch::Tensor& ids) {
    const auto time = ids.size(1);
    // One sentence: every token is of type 0, so its vector is added once per position.
    const auto place = positions->weight.narrow(0, 0, time) + types->weight.narrow(0, 0, 1);
    return norm(words(ids) + place);
}

torch::Tensor BertNetImpl::run_layers(
    torch::Tensor x, const torch::Tensor& bias, std::int64_t first, std::int64_t last
) {
    for (auto i = first; i < last; ++i) {
        x = layers[static_cast<std::size_t>(i)]->as<BertLayerImpl>()->forward(x, bias);
    }
    return x;
}

torch::Tensor activate(const torch::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::gelu:
            return torch::gelu(x);
        case Activation::gelu_tanh:
            return torch::gelu(x, "tanh");
        case Activation::relu:
            return torch::relu(x);
    }
    return x;
}

torch::Tensor padding_bias(const torch::Tensor& real, torch::ScalarType dtype) {
    const auto n = real.size(0);
    const auto time = real.size(1);
    return torch::zeros({n, 1, 1, time}, real.options().dtype(dtype))
        .masked_fill_((real == 0).view({n, 1, 1, time}), -std::numeric_limits<float>::infinity());
}

PaddedTokens pad_tokens(
    std::span<const std::span<const std::int32_t>> rows, std::int32_t pad_id, torch::Device device
) {
    const auto longest = std::ranges::max(rows, {}, [](const auto& row) { return row.size(); });
    const auto n = static_cast<std::int64_t>(rows.size());
    const auto time = static_cast<std::int64_t>(longest.size());
    auto ids = torch::full({n, time}, pad_id, torch::kInt64);
    auto real = torch::zeros({n, time}, torch::kFloat32);
    bool is_padded = false;
    for (std::int64_t row = 0; row < n; ++row) {
        const auto tokens = rows[static_cast<std::size_t>(row)];
        std::ranges::copy(tokens, ids.data_ptr<std::int64_t>() + row * time);
        std::fill_n(real.data_ptr<float>() + row * time, tokens.size(), 1.0F);
        is_padded = is_padded || tokens.size() != longest.size();
    }
    return {.ids = ids.to(device), .real = is_padded ? real.to(device) : torch::Tensor{}};
}

torch::Tensor pool_tokens(
    const torch::Tensor& hidden, const torch::Tensor& real, const BertConfig& config
) {
    torch::Tensor pooled;
    if (config.pooling == Pooling::first_token) {
        pooled = hidden.select(1, 0);
    } else if (real.defined()) {
        const auto weight = real.unsqueeze(2);
        pooled = (hidden * weight).sum(1) / weight.sum(1);
    } else {
        pooled = hidden.mean(1);
    }
    if (config.normalises) {
        constexpr double smallest = 1e-12;
        pooled = pooled / pooled.norm(2, 1, true).clamp_min(smallest);
    }
    return pooled;
}

namespace {

/// Names all that decides the vectors of a model: weights, vocabulary, settings.
std::string hash_of_model(
    const std::filesystem::path& folder, const SafetensorsFile& weights, std::string_view precision
) {
    Digest digest;
    for (const auto* name :
         {"config.json",
          "vocab.txt",
          "tokenizer_config.json",
          "sentence_bert_config.json",
          "modules.json",
          "1_Pooling/config.json"}) {
        if (const auto text = read_file(folder / name)) {
            digest.update(std::string_view{name});
            digest.update(std::string_view{*text});
        }
    }
    for (const auto& [name, view] : weights.tensors()) {
        digest.update(std::string_view{name});
        digest.update(view.bytes);
    }
    digest.update(precision);
    return digest.hex();
}

}  // namespace

LoadedBert load_bert(const std::filesystem::path& folder, std::string_view precision) {
    auto tokenizer = value_or_throw(WordPiece::load(folder));
    const auto config = value_or_throw(BertConfig::load(folder));
    if (std::cmp_greater(tokenizer.n_pieces(), config.vocabulary)) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "{}: vocab.txt has {} pieces, config.json says {}",
                folder.string(),
                tokenizer.n_pieces(),
                config.vocabulary
            ),
            "the files belong to different models",
        };
    }
    const auto file = value_or_throw(SafetensorsFile::open(folder / "model.safetensors"));
    BertNet net{config};
    read_weights(file, weights_prefix(file), named_weights(net));
    net->eval();
    for (auto& parameter : net->parameters()) {
        parameter.set_requires_grad(false);
    }
    return {
        .tokenizer = std::move(tokenizer),
        .config = config,
        .net = std::move(net),
        .hash = hash_of_model(folder, file, precision),
    };
}

}  // namespace hg::encode
