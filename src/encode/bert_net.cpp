// SPDX-License-Identifier: Apache-2.0
#include "encode/bert_net.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"
#include "core/file.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace hg::encode {
namespace {

torch::nn::LayerNorm layer_norm(const BertConfig& config) {
    return torch::nn::LayerNorm{
        torch::nn::LayerNormOptions({config.hidden}).eps(config.layer_norm_eps)
    };
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

/// The tensors of a checkpoint, as float32, by the names inside BertModel.
class Checkpoint {
  public:
    explicit Checkpoint(const SafetensorsFile& file) : file_(file) {
        if (file.contains("bert.embeddings.word_embeddings.weight")) {
            prefix_ = "bert.";
        }
    }

    [[nodiscard]] torch::Tensor operator()(const std::string& name) const {
        const auto view = value_or_throw(file_.tensor(prefix_ + name));
        std::vector<std::int64_t> shape(view.shape.begin(), view.shape.end());
        // from_blob wants a mutable pointer; the clone below is what we keep.
        auto* const bytes = const_cast<std::byte*>(view.bytes.data());
        return torch::from_blob(bytes, shape, torch::TensorOptions{scalar_type(view.dtype, name)})
            .to(torch::kFloat32, false, true);
    }

    void copy(const std::string& name, torch::Tensor& parameter) const {
        copy(name, (*this)(name), parameter);
    }

    static void copy(
        const std::string& name, const torch::Tensor& value, torch::Tensor& parameter
    ) {
        if (value.sizes() != parameter.sizes()) {
            throw Error{
                ErrorCode::corrupt,
                fmt::format(
                    "tensor {} has shape [{}], expected [{}]",
                    name,
                    fmt::join(value.sizes(), ", "),
                    fmt::join(parameter.sizes(), ", ")
                ),
                "config.json and model.safetensors belong to different models",
            };
        }
        parameter.copy_(value);
    }

    template <typename Module>
    void copy_module(const std::string& name, Module& module) const {
        copy(name + ".weight", module->weight);
        copy(name + ".bias", module->bias);
    }

    /// Old checkpoints call the two tensors gamma and beta.
    void copy_norm(const std::string& name, torch::nn::LayerNorm& norm) const {
        const bool is_old = file_.contains(prefix_ + name + ".gamma");
        copy(name + (is_old ? ".gamma" : ".weight"), norm->weight);
        copy(name + (is_old ? ".beta" : ".bias"), norm->bias);
    }

  private:
    static torch::ScalarType scalar_type(DType dtype, const std::string& name) {
        switch (dtype) {
            case DType::f32:
                return torch::kFloat32;
            case DType::f16:
                return torch::kFloat16;
            case DType::bf16:
                return torch::kBFloat16;
            default:
                throw Error{
                    ErrorCode::corrupt,
                    fmt::format(
                        "tensor {} is {}, expected F32, F16 or BF16", name, to_string(dtype)
                    ),
                    "quantised checkpoints are not read: bring the original weights",
                };
        }
    }

    const SafetensorsFile& file_;
    std::string prefix_;
};

void load_layer(BertLayerImpl& layer, const std::string& name, const Checkpoint& checkpoint) {
    const auto self = name + ".attention.self.";
    for (const auto* part : {"weight", "bias"}) {
        const auto joined = torch::cat(
            {checkpoint(self + "query." + part),
             checkpoint(self + "key." + part),
             checkpoint(self + "value." + part)}
        );
        auto& parameter = std::string_view{part} == "weight" ? layer.qkv->weight : layer.qkv->bias;
        Checkpoint::copy(self + "query|key|value." + part, joined, parameter);
    }
    checkpoint.copy_module(name + ".attention.output.dense", layer.attended);
    checkpoint.copy_norm(name + ".attention.output.LayerNorm", layer.attended_norm);
    checkpoint.copy_module(name + ".intermediate.dense", layer.up);
    checkpoint.copy_module(name + ".output.dense", layer.down);
    checkpoint.copy_norm(name + ".output.LayerNorm", layer.norm);
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

torch::Tensor padding_bias(const torch::Tensor& real, torch::ScalarType dtype) {
    const auto n = real.size(0);
    const auto time = real.size(1);
    return torch::zeros({n, 1, 1, time}, real.options().dtype(dtype))
        .masked_fill_((real == 0).view({n, 1, 1, time}), -std::numeric_limits<float>::infinity());
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
    load_bert_weights(net, config, file);
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

void load_bert_weights(BertNet& net, const BertConfig& config, const SafetensorsFile& file) {
    const torch::NoGradGuard no_grad;
    const Checkpoint checkpoint{file};
    checkpoint.copy("embeddings.word_embeddings.weight", net->words->weight);
    checkpoint.copy("embeddings.position_embeddings.weight", net->positions->weight);
    checkpoint.copy("embeddings.token_type_embeddings.weight", net->types->weight);
    checkpoint.copy_norm("embeddings.LayerNorm", net->norm);
    for (std::int64_t i = 0; i < config.layers; ++i) {
        auto& layer = *net->layers[static_cast<std::size_t>(i)]->as<BertLayerImpl>();
        load_layer(layer, fmt::format("encoder.layer.{}", i), checkpoint);
    }
}

}  // namespace hg::encode
