// SPDX-License-Identifier: Apache-2.0
// BertConfig: what a model folder says about itself: sizes, activation, pooling, normalisation.
//
// Read from config.json, modules.json and 1_Pooling/config.json; a folder without modules.json is a
// bare BERT: mean pooling, vectors of length 1. Torch-free.
//
//   const BertConfig config = value_or_throw(BertConfig::load(folder));
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>

namespace hg::encode {

enum class Activation : std::uint8_t { gelu, gelu_tanh, relu };
enum class Pooling : std::uint8_t { mean, first_token };

struct BertConfig {
    std::int64_t vocabulary = 0;
    std::int64_t hidden = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t intermediate = 0;
    std::int64_t positions = 0;
    std::int64_t token_types = 2;
    double layer_norm_eps = 1e-12;
    Activation activation = Activation::gelu;
    Pooling pooling = Pooling::mean;
    bool normalises = true;

    /// Fails on a model that is not BERT, naming what it found and what we read.
    [[nodiscard]] static Result<BertConfig> load(const std::filesystem::path& folder);
};

}  // namespace hg::encode
