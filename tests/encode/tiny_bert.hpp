// SPDX-License-Identifier: Apache-2.0
// A tiny BERT in the layout of bert-base-chinese, random weights, made by the tests themselves.
#pragma once

#include "core/rng.hpp"
#include "core/safetensors.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace hg::encode {

inline const std::vector<std::string>& tiny_vocabulary() {
    static const std::vector<std::string> pieces{
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "千",
        "与",
        "寻",
        "龙",
        "猫",
        "the",
        "cat",
        "##s",
        "2001",
        "，",
        "##千"
    };
    return pieces;
}

struct TinyBert {
    std::string prefix = "bert.";
    DType dtype = DType::f32;
    std::size_t hidden = 8;
    bool is_cls_pooled = false;
    std::vector<std::string> pieces = tiny_vocabulary();
    std::uint64_t seed = 11;
};

/// The upper half of a float32: what bfloat16 is.
inline void add_random(
    SafetensorsWriter& writer,
    const std::string& name,
    std::vector<std::size_t> shape,
    const TinyBert& options,
    Rng& rng
) {
    std::size_t n = 1;
    for (const auto size : shape) {
        n *= size;
    }
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < n; ++i) {
        const bool is_norm_weight = name.ends_with("LayerNorm.weight");
        const auto value = static_cast<float>((is_norm_weight ? 1.0 : 0.0) + 0.3 * rng.normal());
        const auto* raw = reinterpret_cast<const std::byte*>(&value);
        bytes.insert(bytes.end(), options.dtype == DType::bf16 ? raw + 2 : raw, raw + 4);
    }
    writer.add_bytes(options.prefix + name, options.dtype, std::move(shape), std::move(bytes));
}

inline void write_tiny_bert(const std::filesystem::path& folder, const TinyBert& options = {}) {
    const auto hidden = options.hidden;
    std::filesystem::create_directories(folder / "1_Pooling");
    std::ofstream vocabulary{folder / "vocab.txt"};
    for (const auto& piece : options.pieces) {
        vocabulary << piece << '\n';
    }
    std::ofstream{folder / "tokenizer_config.json"}
        << R"({"do_lower_case": false, "model_max_length": 512})";
    std::ofstream{folder / "config.json"}
        << R"({"model_type": "bert", "hidden_act": "gelu", "hidden_size": )" << hidden
        << R"(, "intermediate_size": 16, "layer_norm_eps": 1e-12, "max_position_embeddings": 32,)"
        << R"( "num_attention_heads": 2, "num_hidden_layers": 2, "type_vocab_size": 2,)"
        << R"( "vocab_size": )" << options.pieces.size() << "}";
    if (options.is_cls_pooled) {
        std::ofstream{folder / "modules.json"} << R"([
            {"path": "", "type": "sentence_transformers.models.Transformer"},
            {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}])";
        std::ofstream{folder / "1_Pooling" / "config.json"}
            << R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false})";
    }
    SafetensorsWriter writer;
    Rng rng{options.seed};
    const auto add = [&](const std::string& name, std::vector<std::size_t> shape) {
        add_random(writer, name, std::move(shape), options, rng);
    };
    const auto add_linear = [&](const std::string& name, std::size_t out, std::size_t in) {
        add(name + ".weight", {out, in});
        add(name + ".bias", {out});
    };
    const auto add_norm = [&](const std::string& name) {
        add(name + ".LayerNorm.weight", {hidden});
        add(name + ".LayerNorm.bias", {hidden});
    };
    add("embeddings.word_embeddings.weight", {options.pieces.size(), hidden});
    add("embeddings.position_embeddings.weight", {32, hidden});
    add("embeddings.token_type_embeddings.weight", {2, hidden});
    add_norm("embeddings");
    for (const auto* layer : {"encoder.layer.0.", "encoder.layer.1."}) {
        const std::string name = layer;
        for (const auto* part : {"query", "key", "value"}) {
            add_linear(name + "attention.self." + part, hidden, hidden);
        }
        add_linear(name + "attention.output.dense", hidden, hidden);
        add_norm(name + "attention.output");
        add_linear(name + "intermediate.dense", 16, hidden);
        add_linear(name + "output.dense", hidden, 16);
        add_norm(name + "output");
    }
    writer.save(folder / "model.safetensors");
}

}  // namespace hg::encode
