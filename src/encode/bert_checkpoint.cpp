// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "encode/bert_checkpoint_net.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

namespace hg::encode {
namespace {

constexpr std::string_view norm_weight = "LayerNorm.weight";
constexpr std::string_view norm_bias = "LayerNorm.bias";

torch::ScalarType scalar_type(DType dtype, const std::string& name) {
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
                fmt::format("tensor {} is {}, expected F32, F16 or BF16", name, to_string(dtype)),
                "quantised checkpoints are not read: bring the original weights",
            };
    }
}

/// What old checkpoints call the tensor; the name itself where they call it the same.
std::string old_name(const std::string& name) {
    if (name.ends_with(norm_weight)) {
        return name.substr(0, name.size() - norm_weight.size()) + "LayerNorm.gamma";
    }
    if (name.ends_with(norm_bias)) {
        return name.substr(0, name.size() - norm_bias.size()) + "LayerNorm.beta";
    }
    return name;
}

void read_weight(const TensorView& view, const std::string& name, torch::Tensor tensor) {
    std::vector<std::int64_t> shape(view.shape.begin(), view.shape.end());
    if (tensor.sizes() != at::IntArrayRef{shape}) {
        throw Error{
            ErrorCode::corrupt,
            fmt::format(
                "tensor {} has shape [{}], expected [{}]",
                name,
                fmt::join(shape, ", "),
                fmt::join(tensor.sizes(), ", ")
            ),
            "config.json and model.safetensors belong to different models",
        };
    }
    // from_blob wants a mutable pointer; copy_ reads it once.
    auto* const bytes = const_cast<std::byte*>(view.bytes.data());
    tensor.copy_(torch::from_blob(bytes, shape, torch::TensorOptions{scalar_type(view.dtype, name)})
    );
}

template <typename Module>
void add_module(NamedWeights& all, const std::string& name, const Module& module) {
    all.emplace_back(name + ".weight", module->weight.detach());
    all.emplace_back(name + ".bias", module->bias.detach());
}

void add_layer(NamedWeights& all, const std::string& name, const BertLayerImpl& layer) {
    const auto hidden = layer.down->bias.size(0);
    std::int64_t first = 0;
    for (const auto* part : {"query", "key", "value"}) {
        const auto self = fmt::format("{}.attention.self.{}", name, part);
        all.emplace_back(self + ".weight", layer.qkv->weight.detach().narrow(0, first, hidden));
        all.emplace_back(self + ".bias", layer.qkv->bias.detach().narrow(0, first, hidden));
        first += hidden;
    }
    add_module(all, name + ".attention.output.dense", layer.attended);
    add_module(all, name + ".attention.output.LayerNorm", layer.attended_norm);
    add_module(all, name + ".intermediate.dense", layer.up);
    add_module(all, name + ".output.dense", layer.down);
    add_module(all, name + ".output.LayerNorm", layer.norm);
}

}  // namespace

NamedWeights named_weights(const BertNet& net) {
    NamedWeights all{
        {"embeddings.word_embeddings.weight", net->words->weight.detach()},
        {"embeddings.position_embeddings.weight", net->positions->weight.detach()},
        {"embeddings.token_type_embeddings.weight", net->types->weight.detach()},
    };
    add_module(all, "embeddings.LayerNorm", net->norm);
    auto from = net;  // a handle: indexing a list of modules is not const, its use here is
    for (std::size_t i = 0; i < from->layers->size(); ++i) {
        add_layer(all, fmt::format("encoder.layer.{}", i), *from->layers[i]->as<BertLayerImpl>());
    }
    return all;
}

std::string_view weights_prefix(const SafetensorsFile& file) {
    return file.contains("bert.embeddings.word_embeddings.weight") ? "bert." : "";
}

void read_weights(
    const SafetensorsFile& file, std::string_view prefix, const NamedWeights& weights
) {
    const torch::NoGradGuard no_grad;
    for (const auto& [plain_name, tensor] : weights) {
        auto name = std::string{prefix} + plain_name;
        if (const auto old = old_name(name); file.contains(old)) {
            name = old;
        }
        read_weight(value_or_throw(file.tensor(name)), name, tensor);
    }
}

}  // namespace hg::encode
