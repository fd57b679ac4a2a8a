// SPDX-License-Identifier: Apache-2.0
// bert_checkpoint: the weights of a BERT under the names of Hugging Face, to read and to write.
//
// One list of names serves both ways, so what is written is what is read. Query, key and value are
// three tensors there and one map here: their rows are views of ours.
//
//   read_weights(file, "bert.", named_weights(net));        // in place
//   for (const auto& [name, tensor] : named_weights(net)) { add_tensor(writer, name, tensor); }
#pragma once

#include "core/safetensors.hpp"
#include "encode/bert_net.hpp"

#include <torch/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hg::encode {

/// Handles that share storage with a network, without its graph.
using NamedWeights = std::vector<std::pair<std::string, torch::Tensor>>;

/// By their names inside BertModel: "encoder.layer.0.output.dense.bias".
[[nodiscard]] NamedWeights named_weights(const BertNet& net);

/// What stands before these names in a file: "bert." or nothing.
[[nodiscard]] std::string_view weights_prefix(const SafetensorsFile& file);

/// Copies F32, F16 or BF16 into the tensors; old checkpoints may call the two of a LayerNorm gamma
/// and beta. Throws Error naming the tensor that is missing or has another shape.
void read_weights(
    const SafetensorsFile& file, std::string_view prefix, const NamedWeights& weights
);

}  // namespace hg::encode
