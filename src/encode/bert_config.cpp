// SPDX-License-Identifier: Apache-2.0
#include "encode/bert_config.hpp"

#include "core/file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace hg::encode {
namespace {

constexpr auto supported =
    "bring a BERT model (all-MiniLM, bge, e5, bert-base) in Hugging Face layout";

Result<nlohmann::json> read_json(const std::filesystem::path& path) {
    HG_TRY(const auto text, read_file(path));
    auto content = nlohmann::json::parse(text, nullptr, false);
    if (content.is_discarded()) {
        return fail(ErrorCode::corrupt, path.string() + ": not JSON");
    }
    return content;
}

Result<Activation> parse_activation(const std::string& name) {
    if (name == "gelu") {
        return Activation::gelu;
    }
    if (name == "gelu_new" || name == "gelu_pytorch_tanh") {
        return Activation::gelu_tanh;
    }
    if (name == "relu") {
        return Activation::relu;
    }
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("hidden_act is \"{}\", expected gelu, gelu_new or relu", name),
        supported
    );
}

Result<void> read_modules(const std::filesystem::path& folder, BertConfig& config) {
    if (!std::filesystem::exists(folder / "modules.json")) {
        return {};
    }
    HG_TRY(const auto modules, read_json(folder / "modules.json"));
    config.normalises = false;
    for (const auto& module : modules) {
        const auto type = module.value("type", std::string{});
        if (type.ends_with("Normalize")) {
            config.normalises = true;
        } else if (type.ends_with("Pooling")) {
            const auto path =
                folder / module.value("path", std::string{"1_Pooling"}) / "config.json";
            HG_TRY(const auto pooling, read_json(path));
            const bool is_first = pooling.value("pooling_mode_cls_token", false);
            if (is_first == pooling.value("pooling_mode_mean_tokens", false)) {
                return fail(
                    ErrorCode::invalid_argument,
                    path.string() + ": expected exactly one of mean and CLS pooling",
                    supported
                );
            }
            config.pooling = is_first ? Pooling::first_token : Pooling::mean;
        } else if (!type.ends_with("Transformer")) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("{}/modules.json: unknown module {}", folder.string(), type),
                supported
            );
        }
    }
    return {};
}

Result<void> check_sizes(const BertConfig& config) {
    constexpr std::int64_t limit = 1 << 24;  // far above any real model, far below an overflow
    for (const auto size :
         {config.vocabulary,
          config.hidden,
          config.layers,
          config.heads,
          config.intermediate,
          config.positions,
          config.token_types}) {
        if (size < 1 || size > limit) {
            return fail(ErrorCode::corrupt, fmt::format("a size of {} makes no sense", size));
        }
    }
    if (config.hidden % config.heads != 0) {
        return fail(
            ErrorCode::corrupt,
            fmt::format("hidden_size {} is not a multiple of {} heads", config.hidden, config.heads)
        );
    }
    return {};
}

Result<BertConfig> parse(const nlohmann::json& json) {
    const auto type = json.value("model_type", std::string{"bert"});
    if (type != "bert") {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("model_type is \"{}\", expected bert", type),
            supported
        );
    }
    if (json.value("position_embedding_type", std::string{"absolute"}) != "absolute") {
        return fail(
            ErrorCode::invalid_argument, "only absolute position embeddings are read", supported
        );
    }
    BertConfig config;
    config.vocabulary = json.at("vocab_size").get<std::int64_t>();
    config.hidden = json.at("hidden_size").get<std::int64_t>();
    config.layers = json.at("num_hidden_layers").get<std::int64_t>();
    config.heads = json.at("num_attention_heads").get<std::int64_t>();
    config.intermediate = json.at("intermediate_size").get<std::int64_t>();
    config.positions = json.at("max_position_embeddings").get<std::int64_t>();
    config.token_types = json.value("type_vocab_size", config.token_types);
    config.layer_norm_eps = json.value("layer_norm_eps", config.layer_norm_eps);
    HG_TRY(config.activation, parse_activation(json.value("hidden_act", std::string{"gelu"})));
    if (auto checked = check_sizes(config); !checked) {
        return std::unexpected(checked.error());
    }
    return config;
}

}  // namespace

Result<BertConfig> BertConfig::load(const std::filesystem::path& folder) {
    const auto path = folder / "config.json";
    try {
        HG_TRY(const auto json, read_json(path));
        auto config = parse(json);
        if (!config) {
            return fail(
                config.error().code(),
                fmt::format("{}: {}", path.string(), config.error().message()),
                config.error().hint()
            );
        }
        if (auto read = read_modules(folder, *config); !read) {
            return std::unexpected(read.error());
        }
        return config;
    } catch (const nlohmann::json::exception& error) {
        return fail(
            ErrorCode::corrupt, fmt::format("{}: {}", path.string(), error.what()), supported
        );
    }
}

}  // namespace hg::encode
