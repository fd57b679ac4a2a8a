// SPDX-License-Identifier: Apache-2.0
#include "core/durable_folder.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "encode/bert_checkpoint_net.hpp"
#include "encode/masked_bert_net.hpp"
#include "encode/tensor_io.hpp"

#include <ATen/ops/linear.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <set>
#include <utility>

namespace hg::encode {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view head_prefix = "cls.predictions.";

/// By their names after head_prefix.
NamedWeights head_weights(const MaskedBert& net) {
    return {
        {"transform.dense.weight", net->dense->weight.detach()},
        {"transform.dense.bias", net->dense->bias.detach()},
        {"transform.LayerNorm.weight", net->norm->weight.detach()},
        {"transform.LayerNorm.bias", net->norm->bias.detach()},
        {"bias", net->bias.detach()},
    };
}

void begin_head(const MaskedBert& net, Rng rng) {
    const torch::NoGradGuard no_grad;
    constexpr double deviation = 0.02;
    std::vector<float> values(static_cast<std::size_t>(net->dense->weight.numel()));
    for (auto& value : values) {
        value = static_cast<float>(deviation * rng.normal());
    }
    net->dense->weight.copy_(
        torch::tensor(at::ArrayRef<float>{values}, torch::kFloat32).view_as(net->dense->weight)
    );
    net->dense->bias.zero_();
    net->norm->weight.fill_(1);
    net->norm->bias.zero_();
    net->bias.zero_();
}

/// Weights of the source that the network does not have, as they are.
void add_unused(
    SafetensorsWriter& writer, const SafetensorsFile& source, const std::set<std::string>& written
) {
    const auto prefix = weights_prefix(source);
    for (const auto& [name, view] : source.tensors()) {
        const bool is_base = name.starts_with(prefix) && !name.starts_with("cls.");
        const auto full = is_base ? "bert." + name.substr(prefix.size()) : name;
        // The decoder is tied to the words: a copy of it would be of the old ones.
        const bool is_old = full.ends_with(".gamma") || full.ends_with(".beta");
        if (!written.contains(full) && !full.starts_with(head_prefix) && !is_old) {
            writer.add_bytes(full, view.dtype, view.shape, {view.bytes.begin(), view.bytes.end()});
        }
    }
}

void copy_if_there(const fs::path& from, const fs::path& to, const fs::path& name) {
    if (fs::is_regular_file(from / name)) {
        write_file_atomic(to / name, value_or_throw(read_file(from / name)));
    }
}

nlohmann::ordered_json read_object(const fs::path& path) {
    auto json = nlohmann::ordered_json::parse(value_or_throw(read_file(path)), nullptr, false);
    if (json.is_discarded()) {
        throw Error{ErrorCode::corrupt, path.string() + ": not JSON"};
    }
    return json;
}

/// Tokenizer, lengths, pooling: whatever the readers of the layout look at.
void copy_settings(const fs::path& from, const fs::path& to) {
    constexpr std::array names{
        "vocab.txt",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "sentence_bert_config.json",
        "config_sentence_transformers.json",
        "modules.json",
    };
    for (const auto* name : names) {
        copy_if_there(from, to, name);
    }
    if (fs::is_regular_file(from / "modules.json")) {
        for (const auto& module : read_object(from / "modules.json")) {
            const auto path = module.value("path", std::string{});
            if (!path.empty()) {
                create_durable_folders(to / path);
                copy_if_there(from, to, fs::path{path} / "config.json");
            }
        }
    }
    auto config = read_object(from / "config.json");
    config["architectures"] = {"BertForMaskedLM"};
    config["torch_dtype"] = "float32";
    config.erase("dtype");
    write_file_atomic(to / "config.json", config.dump(2) + "\n");
}

}  // namespace

MaskedBertImpl::MaskedBertImpl(const BertConfig& of, BertNet pretrained) : config(of) {
    bert = register_module("bert", std::move(pretrained));
    dense = register_module("dense", torch::nn::Linear(config.hidden, config.hidden));
    norm = register_module(
        "norm",
        torch::nn::LayerNorm(torch::nn::LayerNormOptions({config.hidden}).eps(config.layer_norm_eps)
        )
    );
    bias = register_parameter("bias", torch::zeros({config.vocabulary}));
}

torch::Tensor MaskedBertImpl::forward(const PaddedTokens& in, const torch::Tensor& places) {
    const auto asked = states(in).flatten(0, 1).index_select(0, places);  // [n, hidden]
    return at::linear(norm(activate(dense(asked), config.activation)), bert->words->weight, bias);
}

torch::Tensor MaskedBertImpl::vectors(const PaddedTokens& in) {
    return pool_tokens(states(in), in.real, config);
}

torch::Tensor MaskedBertImpl::states(const PaddedTokens& in) {
    const auto padding =
        in.real.defined() ? padding_bias(in.real, torch::kFloat32) : torch::Tensor{};
    return bert->forward(in.ids, padding);  // [batch, time, hidden]
}

LoadedMaskedBert load_masked_bert(const fs::path& folder, Rng rng) {
    auto loaded = load_bert(folder, "fp32");
    if (!loaded.tokenizer.mask_id()) {
        throw Error{
            ErrorCode::invalid_argument,
            fmt::format(
                "{}: the vocabulary has no {}", folder.string(), loaded.tokenizer.options().mask
            ),
            "bring a model that was trained with masked words, such as bert-base or all-MiniLM",
        };
    }
    MaskedBert net{loaded.config, std::move(loaded.net)};
    const auto file = value_or_throw(SafetensorsFile::open(folder / "model.safetensors"));
    const bool has_head = file.contains(std::string{head_prefix} + "transform.dense.weight");
    begin_head(net, rng);
    if (has_head) {
        read_weights(file, head_prefix, head_weights(net));
    }
    for (auto& parameter : net->parameters()) {
        parameter.set_requires_grad(true);
    }
    return {
        .tokenizer = std::move(loaded.tokenizer),
        .net = std::move(net),
        .hash = std::move(loaded.hash),
        .has_head = has_head,
    };
}

void save_masked_bert(const MaskedBert& net, const fs::path& from, const fs::path& to) {
    create_durable_folders(to);
    copy_settings(from, to);
    SafetensorsWriter writer;
    writer.add_metadata("format", "pt");  // transformers opens no file without it
    std::set<std::string> written;
    const auto add = [&](std::string_view prefix, const NamedWeights& weights) {
        for (const auto& [name, tensor] : weights) {
            const auto full = std::string{prefix} + name;
            add_tensor(writer, full, tensor);
            written.insert(full);
        }
    };
    add("bert.", named_weights(net->bert));
    add(head_prefix, head_weights(net));
    add_unused(writer, value_or_throw(SafetensorsFile::open(from / "model.safetensors")), written);
    writer.save(to / "model.safetensors");
}

}  // namespace hg::encode
